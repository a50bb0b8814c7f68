"""How a value is given to a name in the files of real projects: one form a way of writing, with the file that it is written in."""

from __future__ import annotations

from typing import NamedTuple


class Form(NamedTuple):
    """`path`: the file. `text`: the lines, with `{n}` for the name and `{v}` for the value. `quoted`: whether quotes stand around the value."""

    path: str
    text: str
    quoted: bool = True


CODE = (
    Form("src/settings.py", '{n} = "{v}"\n'),
    Form("app/db.py", "conn = connect(host='10.2.0.9', user='svc', {n}='{v}', port=5432)\n"),
    Form("app/tasks.py", "    '{n}': '{v}',\n"),
    Form("app/conf.py", 'app.config["{n}"] = "{v}"\n'),
    Form("app/env.py", 'value = os.environ.get("{n}", "{v}")\n'),
    Form("src/main/java/io/corp/Db.java", '    private static final String {n} = "{v}";\n'),
    Form("src/main/java/io/corp/Mail.java", '        props.setProperty("{n}", "{v}");\n'),
    Form("src/main/kotlin/Api.kt", '    const val {n} = "{v}"\n'),
    Form("src/index.js", "const {n} = '{v}';\n"),
    Form("src/db.ts", "  {n}: '{v}',\n"),
    Form("src/client.ts", 'const {n}: string = "{v}";\n'),
    Form("lib/api.js", "const value = process.env.{n} || '{v}';\n"),
    Form("lib/state.jsx", '  <Login {n}="{v}" />\n'),
    Form("cmd/main.go", '\t{n} := "{v}"\n'),
    Form("cmd/conf.go", '\t\t{n}: "{v}",\n'),
    Form("include/config.h", '#define {n} "{v}"\n'),
    Form("firmware/wifi.ino", 'const char* {n} = "{v}";\n'),
    Form("src/App.cs", '    public const string {n} = "{v}";\n'),
    Form("src/Mailer.cs", '            {n} = "{v}",\n'),
    Form("inc/config.php", "define('{n}', '{v}');\n"),
    Form("inc/db.php", "${n} = '{v}';\n"),
    Form("inc/app.php", "    '{n}' => '{v}',\n"),
    Form("config/initializers/mail.rb", "  :{n} => '{v}',\n"),
    Form("lib/api.rb", '  {n}: "{v}"\n'),
    Form("Sources/Api.swift", '    let {n} = "{v}"\n'),
    Form("App/Api.m", 'static NSString *const {n} = @"{v}";\n'),
    Form("bin/job.pl", 'my ${n} = "{v}";\n'),
    Form("src/conf.rs", 'const {n}: &str = "{v}";\n'),
    Form("spec/login_spec.rb", "  fill_in '{n}', with: '{v}'\n"),
    Form("src/test/java/io/corp/DbTest.java", '        when(settings.{n}).thenReturn("{v}");\n'),
    Form("tests/test_api.py", '{n} = "{v}"\n'),
    Form("r/mail.R", '              {n} = "{v}",\n'),
    Form("src/Form.vb", '        Dim {n} As String = "{v}"\n'),
    Form("src/Auth.scala", '  val {n} = "{v}"\n'),
)

SETTINGS = (
    Form("deploy/.env", "{n}={v}\n", False),
    Form("deploy/prod.env", "export {n}='{v}'\n"),
    Form("config/app.yaml", "  {n}: {v}\n", False),
    Form("values.yml", '  {n}: "{v}"\n'),
    Form("docker-compose.yml", "      - {n}={v}\n", False),
    Form("config/application.properties", "app.{n}={v}\n", False),
    Form("config/legacy.properties", "{n} = {v}\n", False),
    Form("app.ini", "{n} = {v}\n", False),
    Form("config.json", '    "{n}": "{v}",\n'),
    Form("appsettings.json", '  "Db": { "{n}": "{v}" }\n'),
    Form("Cargo.toml", '{n} = "{v}"\n'),
    Form("prod.tfvars", '{n}   = "{v}"\n'),
    Form("main.tf", '  {n} = "{v}"\n'),
    Form("settings.xml", "      <{n}>{v}</{n}>\n", False),
    Form("web.config", '    <add key="{n}" value="{v}" />\n'),
    Form("beans.xml", '    <property name="{n}" value="{v}"/>\n'),
    Form("persistence.xml", '  <entry key="{n}">{v}</entry>\n', False),
    Form("res/values/keys.xml", '    <string name="{n}">{v}</string>\n', False),
    Form("k8s/deploy.yaml", "        - name: {n}\n          value: {v}\n", False),
    Form("Dockerfile", "ENV {n} {v}\n", False),
    Form("Dockerfile.dev", "ARG {n}={v}\n", False),
    Form("manifests/site.pp", "    {n} => '{v}',\n"),
    Form("inventory/hosts", "db1 ansible_host=10.2.0.9 {n}={v}\n", False),
)

SCRIPTS = (
    Form("run.sh", "{n}={v}\n", False),
    Form("deploy.sh", 'export {n}="{v}"\n'),
    Form("ci.sh", "{n}={v} ./run --all\n", False),
    Form("build.bat", "set {n}={v}\n", False),
    Form("setup.ps1", '${n} = "{v}"\n'),
    Form("setup2.ps1", '$pw = ConvertTo-SecureString "{v}" -AsPlainText -Force\n'),
    Form("Jenkinsfile", '    {n} = "{v}"\n'),
    Form(".github/workflows/ci.yml", "          {n}: {v}\n", False),
)

NOTES = (
    Form("README.md", '{n} = "{v}"\n'),
    Form("docs/setup.md", "    {n}={v}\n", False),
    Form("docs/notes.txt", "{n}: {v}\n", False),
    Form("docs/api.md", '  "{n}": "{v}",\n'),
    Form("wiki/server.md", "- **{n}**: `{v}`\n"),
    Form("docs/install.rst", "   {n}: '{v}'\n"),
)

PASSWORD_ONLY = (
    Form("src/Mail.cs", 'client.Credentials = new NetworkCredential("svc@corp.io", "{v}");\n'),
    Form("src/Pdf.java", '        certificate.setPassword("{v}");\n'),
    Form("src/Ds.java", '        builder.username("svc").password("{v}").build();\n'),
    Form("app/check.py", 'if password == "{v}":\n'),
    Form("app/check.js", "if (password === '{v}') {\n"),
    Form("src/Check.java", '        if (password.equals("{v}")) {\n'),
    Form("sql/grants.sql", "GRANT ALL ON shop.* TO 'shop'@'10.2.0.9' IDENTIFIED BY '{v}';\n"),
    Form("sql/roles.sql", "CREATE USER shop WITH PASSWORD '{v}';\n"),
    Form("sql/login.sql", "CREATE LOGIN shop WITH PASSWORD = '{v}';\n"),
    Form("backup.sh", "mysql -h db3.corp.io -u root -p{v} shop < dump.sql\n", False),
    Form("backup2.sh", "PGPASSWORD={v} psql -h db3.corp.io -U shop\n", False),
    Form("sync.sh", "sshpass -p '{v}' ssh root@10.2.0.9\n"),
    Form("get.sh", "curl -u svc:{v} https://api.corp.io/v1\n", False),
    Form("get2.sh", "wget --user=svc --password={v} https://repo.corp.io/a.tgz\n", False),
    Form("src/Jdbc.java", '        DriverManager.getConnection("jdbc:mysql://db3.corp.io:3306/shop", "svc", "{v}");\n'),
    Form("inc/pdo.php", "$db = new PDO('mysql:host=db3.corp.io;dbname=shop', 'svc', '{v}');\n"),
    Form("inc/mysqli.php", '$conn = mysqli_connect("db3.corp.io", "svc", "{v}", "shop");\n'),
    Form(
        "web.config",
        '<add name="Db" connectionString="Data Source=db3;Initial Catalog=shop;User ID=svc;Password={v};" />\n',
        False,
    ),
    Form("app/dsn.py", 'DSN = "host=db3.corp.io dbname=shop user=svc password={v}"\n', False),
    Form("hosts.ini", "web1 ansible_user=root ansible_ssh_pass={v}\n", False),
    Form("app/mail.py", 'server.login("svc@corp.io", "{v}")\n'),
)

URLS = (
    Form("config.py", 'BROKER = "amqp://svc:{v}@mq.corp.io:5672/shop"\n', False),
    Form(".git/config", "\turl = https://deploy:{v}@git.corp.io/team/app.git\n", False),
    Form("app/settings.rb", "url: 'postgres://shop:{v}@db3.corp.io/shop'\n", False),
    Form("docs/run.md", "    mongo mongodb://svc:{v}@cluster3.corp.io/shop\n", False),
    Form("proxy.sh", "export https_proxy=http://build:{v}@proxy3.corp.io:3128\n", False),
    Form("src/Cam.java", 'String url = "rtsp://viewer:{v}@10.2.0.31/stream1";\n', False),
    Form("a.properties", "spring.datasource.url=jdbc:postgresql://db3.corp.io/shop?user=svc&password={v}\n", False),
)

HEADERS = (
    Form("call.sh", "curl -H 'Authorization: Bearer {v}' https://api.corp.io/v1\n"),
    Form("src/api.js", "headers: { 'Authorization': 'Bearer {v}' }\n"),
    Form("src/Api.cs", 'client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "{v}");\n'),
    Form("call2.sh", 'curl -H "X-Api-Key: {v}" https://api.corp.io/v1\n'),
    Form("tests/api.http", "X-Auth-Token: {v}\n", False),
    Form("src/api.py", 'headers = {"Authorization": "Token {v}"}\n'),
    Form("src/q.py", 'url = "https://api.corp.io/v1?limit=3&api_key={v}"\n', False),
)
