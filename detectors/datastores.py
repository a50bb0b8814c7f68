"""Passwords of further databases: ClickHouse, Cassandra, Neo4j, Elasticsearch, InfluxDB, CouchDB, Snowflake, Oracle.

What it is: user and password in the database's own URL scheme, in its usual variables, or in its client's settings file
  (cqlshrc, `NEO4J_AUTH`).
Where it is used: `.env`, compose files, dbt profiles, notebooks, application settings.
What an attacker can do: read and change what the account may; Snowflake accounts can be reached from the whole internet
  unless a network policy says otherwise.
How to replace it: ALTER USER on the server (ClickHouse, Cassandra, Neo4j, Snowflake, Oracle), the security API of Elasticsearch, the
  `_users` document or admin section of CouchDB; then end the sessions that are open.
References: https://clickhouse.com/docs/sql-reference/statements/alter/user  https://neo4j.com/docs/operations-manual/current/docker/
  https://docs.snowflake.com/en/sql-reference/sql/alter-user
"""

from __future__ import annotations

from keyward.plugin import Kind

from ._passwords import WORD, database_kind, form_rule, url_rule, variable_rule

CLICKHOUSE, CASSANDRA, NEO4J = Kind("clickhouse/password"), Kind("cassandra/password"), Kind("neo4j/password")
ELASTICSEARCH, INFLUXDB, COUCHDB = Kind("elasticsearch/password"), Kind("influxdb/password"), Kind("couchdb/password")
SNOWFLAKE, ORACLE = Kind("snowflake/password"), Kind("oracle-database/password")

KINDS = (
    database_kind(CLICKHOUSE, "ClickHouse password", "ALTER USER … IDENTIFIED BY '…'.", "https://clickhouse.com/docs/sql-reference/statements/alter/user"),
    database_kind(CASSANDRA, "Cassandra password", "ALTER ROLE … WITH PASSWORD = '…'.", "https://cassandra.apache.org/doc/latest/cassandra/developing/cql/security.html"),
    database_kind(NEO4J, "Neo4j password", "ALTER USER … SET PASSWORD '…'.", "https://neo4j.com/docs/operations-manual/current/authentication-authorization/manage-users/"),
    database_kind(ELASTICSEARCH, "Elasticsearch password", "POST /_security/user/USER/_password.", "https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-security-change-password"),
    database_kind(INFLUXDB, "InfluxDB password", "`influx user password`, or SET PASSWORD FOR in version 1.", "https://docs.influxdata.com/influxdb/v2/reference/cli/influx/user/password/"),
    database_kind(COUCHDB, "CouchDB password", "PUT the user's document, or the admins section of local.ini.", "https://docs.couchdb.org/en/stable/intro/security.html"),
    database_kind(SNOWFLAKE, "Snowflake password", "ALTER USER … SET PASSWORD = '…'.", "https://docs.snowflake.com/en/sql-reference/sql/alter-user"),
    database_kind(ORACLE, "Oracle Database password", "ALTER USER … IDENTIFIED BY ….", "https://docs.oracle.com/en/database/oracle/oracle-database/19/sqlrf/ALTER-USER.html"),
)  # fmt: skip

RULES = (
    url_rule("clickhouse/url", CLICKHOUSE, rb"(?:clickhouses?|ch)(?:\+[a-z]{2,12})?", "clickhouses", names=("CLICKHOUSE_URL", "url"), port=":9440",
             anchor=b"|".join(scheme + rb"://[^\s/\"'`<>()\[\]\\|^]{2,282}@" for scheme in (rb"(?i:clickhouses?(?:\+[a-z]{2,12})?)", rb"(?i:ch)", rb"(?i:ch\+[a-z]{2,12})"))),
    url_rule("cassandra/url", CASSANDRA, rb"(?:cassandra|scylla|cql)", "cassandra", names=("CASSANDRA_URL", "url"), port=":9042"),
    url_rule("neo4j/url", NEO4J, rb"(?:neo4j|bolt)(?:\+s(?:sc)?)?", "neo4j+s", names=("NEO4J_URI", "uri"), port=":7687", tail=""),
    url_rule("elasticsearch/url", ELASTICSEARCH, rb"(?:elasticsearch|opensearch|es)(?:\+https?)?", "elasticsearch", names=("ELASTICSEARCH_URL", "hosts"), port=":9200", tail=""),
    url_rule("influxdb/url", INFLUXDB, rb"(?:https?\+|udp\+)?influxdb", "influxdb", names=("INFLUX_URL", "url"), port=":8086"),
    url_rule("couchdb/url", COUCHDB, rb"couchdbs?", "couchdb", names=("COUCHDB_URL", "url"), port=":5984"),
    url_rule("snowflake/url", SNOWFLAKE, rb"snowflake", "snowflake", names=("SNOWFLAKE_URL", "dsn"), port="", tail="/ORDERS/PUBLIC?warehouse=WH"),
    url_rule("oracle-database/url", ORACLE, rb"oracle(?:\+[a-z_]{2,16})?", "oracle+oracledb", names=("ORACLE_URL", "url"), port=":1521"),
    variable_rule("clickhouse/variable", CLICKHOUSE, rb"(?i:CLICKHOUSE_(?:[a-z]{2,12}_)?(?:PASSWORD|PASS|PWD))", "CLICKHOUSE_PASSWORD", "clickhouse"),
    variable_rule("cassandra/variable", CASSANDRA, rb"(?i:(?:CASSANDRA|SCYLLA)_(?:[a-z]{2,12}_)?(?:PASSWORD|PASS|PWD))", "CASSANDRA_PASSWORD", "admin"),
    variable_rule("elasticsearch/variable", ELASTICSEARCH, rb"(?i:(?:ELASTIC(?:SEARCH)?|KIBANA|OPENSEARCH)_(?:[a-z]{2,12}_){0,2}(?:PASSWORD|PASS|PWD))", "ELASTIC_PASSWORD", "admin"),
    variable_rule("influxdb/variable", INFLUXDB, rb"(?i:INFLUX(?:DB)?_(?:[a-z]{2,12}_){0,2}(?:PASSWORD|PASS|PWD))", "INFLUXDB_ADMIN_PASSWORD", "admin"),
    variable_rule("couchdb/variable", COUCHDB, rb"(?i:COUCHDB_(?:[a-z]{2,12}_)?(?:PASSWORD|PASS|PWD))", "COUCHDB_PASSWORD", "admin"),
    variable_rule("snowflake/variable", SNOWFLAKE, rb"(?i:(?:SNOWFLAKE|SNOWSQL)_(?:[a-z]{2,12}_)?(?:PASSWORD|PASS|PWD))", "SNOWFLAKE_PASSWORD", "password"),
    variable_rule("oracle-database/variable", ORACLE, rb"(?i:(?:ORACLE|ORA)_(?:[a-z]{2,12}_)?(?:PASSWORD|PASS|PWD))", "ORACLE_PASSWORD", "admin"),
    form_rule("neo4j/variable", NEO4J, rb"(?<![A-Za-z0-9])(?i:NEO4J_(?:AUTH[\"']?\s{0,3}[:=]\s{0,3}[\"']?neo4j/|(?:PASSWORD|PASS|PWD)[\"']?\s{0,3}[:=]\s{0,3}[\"']?))" + WORD, 65,
              ("NEO4J_AUTH=neo4j/{}\n", "      NEO4J_AUTH: neo4j/{}\n", "NEO4J_PASSWORD={}\n", '{"NEO4J_PASSWORD": "{}"}\n'),
              ("NEO4J_AUTH=none\n", "NEO4J_AUTH=neo4j/password\n", "NEO4J_AUTH=neo4j/${NEO4J_PASSWORD}\n", "NEO4J_AUTH={}\n")),
    form_rule("cassandra/cqlshrc", CASSANDRA, rb"\[authentication\][^\[]{0,120}?\n[ \t]{0,8}password[ \t]{0,4}=[ \t]{0,4}" + WORD, 65,
              ("[authentication]\nusername = svc\npassword = {}\n", "[authentication]\npassword = {}\n", "[authentication]\n; for cqlsh\nusername=svc\npassword={}\n[connection]\n"),
              ("[authentication]\nusername = svc\n", "[authentication]\nusername = cassandra\npassword = admin\n", "[authentication]\n[other]\npassword = ${PW}\n"),
              anchor=rb"\[authentication\][^\[]{0,120}\n[ \t]{0,8}password[ \t]{0,4}="),
)  # fmt: skip
