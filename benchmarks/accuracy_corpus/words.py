"""Words for the hard negatives: names of settings, placeholders, references, translations, code, prose."""

from __future__ import annotations

VARIABLES = (
    "API_KEY", "SECRET_KEY", "DB_PASSWORD", "GITHUB_TOKEN", "OPENAI_API_KEY", "AUTH_TOKEN", "ACCESS_TOKEN", "CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY",
    "STRIPE_SECRET_KEY", "SMTP_PASSWORD", "JWT_SECRET", "SLACK_BOT_TOKEN", "PRIVATE_KEY", "ENCRYPTION_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD",
    "ANTHROPIC_API_KEY", "WEBHOOK_SECRET", "SENDGRID_API_KEY",
)  # fmt: skip

PLACEHOLDERS = (
    "your-api-key-here", "YOUR_API_KEY", "xxxxxxxxxxxxxxxx", "<TOKEN>", "<your token>", "changeme", "CHANGE_ME", "replace-me", "REPLACE_WITH_YOUR_KEY",
    "insert-key-here", "TODO", "secret", "password", "my-secret-key", "sk-xxxxxxxxxxxxxxxxxxxxxxxx", "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "sk-ant-...", "...", "********", "none", "null", "placeholder", "dummy", "example", "example-token", "test", "fake-key-for-tests",
    "put-your-key-here", "my_api_key", "some-secret", "your_password_here", "enter_your_token", "[API_KEY]", "{api_key}", "sk-your-key-here",
    "xoxb-your-token", "AKIAXXXXXXXXXXXXXXXX", "abc123", "foobar", "not-needed", "dein-api-schluessel", "votre-cle-api", "tu_clave_aqui", "sua-chave-aqui",
)  # fmt: skip

REFERENCES = (
    ("compose.yml", "    environment:\n      - $N=${$N}\n"), ("compose.yml", "      $N: ${$N:?must be set}\n"), ("app.yml", "$L: ${$N}\n"),
    ("ci.yml", "          $N: ${{ secrets.$N }}\n"), ("ci.yml", "  $N: $(my-$N)\n"), ("app.py", '$L = os.environ["$N"]\n'),
    ("app.py", '$L = os.getenv("$N")\n'), ("app.py", '$L = config.get("$L", None)\n'), ("app.js", "const $L = process.env.$N;\n"),
    ("app.js", "  $L: process.env.$N!,\n"), ("main.go", '$L := os.Getenv("$N")\n'), ("App.java", 'String $L = System.getenv("$N");\n'),
    ("app.rb", "$L = ENV.fetch('$N')\n"), ("config.php", "'$L' => env('$N'),\n"), ("main.rs", 'let $L = std::env::var("$N")?;\n'),
    ("App.cs", 'var $L = Configuration["$N"];\n'), ("deploy.sh", '$N="$(vault kv get -field=value secret/app)"\n'), ("deploy.sh", "export $N=$OTHER\n"),
    ("deploy.sh", '$N="$(cat /run/secrets/$L)"\n'), ("deploy.sh", '$N=`pass show app`\n'), (".env", "$N=op://prod/app/$L\n"),
    (".env", "$N=vault:secret/data/app#$L\n"), ("values.yaml", "$L: ref+awsssm://app/$L\n"), ("main.tf", "  $L = var.$L\n"),
    ("main.tf", "  $L = data.vault_generic_secret.app.data[\"$L\"]\n"), ("main.tf", "  $L = random_password.main.result\n"),
    ("template.yaml", "      $N: !Ref $N\n"), ("template.yaml", "      $N: '{{resolve:secretsmanager:app:SecretString:$L}}'\n"),
    ("chart.yaml", "$L: {{ .Values.$L | quote }}\n"), ("inventory.yml", "$L: \"{{ lookup('env', '$N') }}\"\n"), ("playbook.yml", '$L: "{{ vault_$L }}"\n'),
    ("app.properties", "$L=${$N:}\n"), ("Jenkinsfile", "withCredentials([string(credentialsId: '$L', variable: '$N')]) {\n"),
    ("k8s.yaml", "        - name: $N\n          valueFrom:\n            secretKeyRef:\n              name: app\n              key: $L\n"),
    ("app.ts", "const $L = await getSecret('prod/app/$L');\n"), ("app.py", "$L = secrets.token_hex(32)\n"), ("app.py", "$L = getpass.getpass()\n"),
    ("app.kt", "val $L = BuildConfig.$N\n"), ("config.toml", '$L = "$__file{/etc/app/$L}"\n'), ("settings.xml", "<password>${env.$N}</password>\n"),
)  # fmt: skip

TRANSLATIONS = (
    ("password", "Passwort"), ("password", "Mot de passe"), ("password", "Contraseña"), ("password_confirm", "Passwort wiederholen"),
    ("forgot_password", "Passwort vergessen?"), ("token", "Zugriffstoken"), ("api_key", "API-Schlüssel"), ("secret", "Geheimnis"),
    ("login_password", "Kennwort eingeben"), ("new_password", "Nueva contraseña"), ("password_hint", "Mindestens12Zeichen"), ("secret_question", "Geburtsort"),
    ("token_expired", "Sitzung abgelaufen"), ("key", "Schlüssel"), ("password_reset", "Réinitialiser"), ("api_token", "Jeton d’accès"),
    ("password", "密码"), ("password", "Пароль"), ("password", "Wachtwoord"), ("client_secret", "Client-Geheimnis"), ("passphrase", "Phrase secrète"),
    ("auth_token_invalid", "UngültigesToken"), ("password_too_short", "Password must be at least 8 characters"), ("pwd", "Hasło"),
)  # fmt: skip

CODE_VALUES = (
    ("auth.py", "def login(user: str, password: str, token: Optional[str] = None) -> Session:\n    return Session(user=user, password=password, token=token)\n"),
    ("auth.ts", "interface Login { password: string; apiKey?: string; secret: SecretString | undefined }\n"),
    ("Auth.java", "public void setPassword(String password) { this.password = password; this.secretKey = keyFactory.generateSecret(spec); }\n"),
    ("auth.go", "type Config struct {\n\tPassword string `json:\"password\"`\n\tAPIKey   string `yaml:\"api_key\"`\n}\n"),
    ("auth.rb", "user.password = params[:password]\ntoken = request.headers['Authorization']\n"),
    ("auth.js", "const token = localStorage.getItem('authToken');\nheaders['X-Api-Key'] = apiKeyProvider.current();\n"),
    ("auth.cs", "var password = passwordBox.Password;\nvar secretKey = Encoding.UTF8.GetBytes(options.SigningKey);\n"),
    ("auth.php", "$password = $_POST['password'];\n$token = bin2hex(random_bytes(32));\n"),
    ("auth.rs", "let api_key: &str = matches.value_of(\"api-key\").unwrap();\nlet secret_key = SecretKey::from_slice(&bytes)?;\n"),
    ("auth.kt", "val accessToken = sessionManager.fetchAuthToken()\nprivate const val KEY_PASSWORD = \"key_password\"\n"),
    ("auth.cpp", "std::string password = getPasswordFromUser();\nauto secretKey = std::make_unique<CryptoSecretKey>(keySize);\n"),
    ("form.html", '<input type="password" name="password" id="passwordField" placeholder="Password" autocomplete="current-password">\n'),
    ("form.vue", '<q-input v-model="password" :rules="passwordRules" label="Password" />\n'),
    ("args.py", 'parser.add_argument("--api-key", default=None, help="API key of the service")\nparser.add_argument("--password", metavar="PASSWORD")\n'),
    ("enum.ts", "export enum TokenType { AccessToken = 'access_token', RefreshToken = 'refresh_token', ApiKey = 'api_key' }\n"),
    ("test.py", "password_field = driver.find_element(By.ID, 'password')\nself.assertIn('csrf_token', response.cookies)\n"),
    ("redux.js", "const SET_AUTH_TOKEN = 'auth/SET_AUTH_TOKEN';\nconst key = `${prefix}:${userId}:${sessionId}`;\n"),
    ("sql.py", 'cursor.execute("UPDATE users SET password = %s, token = NULL WHERE id = %s", (hashed, user_id))\n'),
    ("swift.swift", "let secretKeyData = try keychain.getData(\"secretKeyData\")\nvar passwordTextField: UITextField!\n"),
    ("react.tsx", "<TextField label='Password' type='password' value={password} onChange={handlePasswordChange} />\n"),
)  # fmt: skip

PROSE = (
    "Never commit a password or an API key. Use the secret store instead, and rotate every token that was shown.",
    "The token: a short string that the server signs. The secret key = what it signs with.",
    "Password: at least twelve characters. PIN: six digits. Key: one per person.",
    "Set the environment variable API_KEY before you start, for instance export API_KEY=...",
    "Basic authentication sends user and password with every request; Bearer authentication sends a token.",
    "Fixed: password=None was passed on as the word None; token=False is refused now.",
    "The private key never leaves the machine; the public key is uploaded to the server.",
    "Use --password-stdin, as docker login -u user -p password shows the password in the process list.",
    "Authorization: Bearer authentication is required for all requests, except for the health check.",
    "See https://user:pass@example.com/ for the form of such an address, and read the section on credentials.",
)
