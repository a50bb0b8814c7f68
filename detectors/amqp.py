"""Message brokers' passwords: RabbitMQ and other AMQP, MQTT, NATS, STOMP.

What it is: user and password (for NATS also a single token) in a broker's URL, or the variables of the RabbitMQ image.
Where it is used: `CLOUDAMQP_URL`, Celery's broker setting, compose files, firmware of devices, micro services' settings.
What an attacker can do: read what passes through the queues, send messages that other services act upon, delete queues.
How to replace it: `rabbitmqctl change_password`, the broker's password file or the cloud console; then close the connections that
  are open, since they stay authenticated.
References: https://www.rabbitmq.com/docs/uri-spec  https://docs.nats.io/using-nats/developer/connecting/userpass
"""

from __future__ import annotations

from keyward.plugin import STRUCTURAL, Kind, Rule
from keyward.plugin.shapes import an, part, text

from ._passwords import HOST, database_kind, judge, url_rule, variable_rule

AMQP, MQTT, NATS, STOMP = Kind("amqp/password"), Kind("mqtt/password"), Kind("nats/password"), Kind("stomp/password")

KINDS = (
    database_kind(AMQP, "AMQP (RabbitMQ) password", "rabbitmqctl change_password USER …", "https://www.rabbitmq.com/docs/access-control", "high"),
    database_kind(MQTT, "MQTT password", "mosquitto_passwd, or the broker's console.", "https://mosquitto.org/man/mosquitto_passwd-1.html", "high"),
    database_kind(NATS, "NATS password or token", "change `authorization` in the server's configuration and reload it.",
                  "https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro", "high"),
    database_kind(STOMP, "STOMP password", "in the broker's own user management.", "https://stomp.github.io/stomp-specification-1.2.html", "medium"),
)  # fmt: skip

RULES = (
    url_rule("amqp/url", AMQP, rb"(?:py)?amqps?", "amqps", names=("CLOUDAMQP_URL", "broker_url"), port=":5671", tail="/%2F"),
    url_rule("mqtt/url", MQTT, rb"(?:mqtts?|mqtt\+ssl)", "mqtts", names=("MQTT_URL", "broker"), port=":8883", tail=""),
    url_rule("nats/url", NATS, rb"(?:nats|tls\+nats)", "nats", names=("NATS_URL", "servers"), port=":4222", tail=""),
    url_rule("stomp/url", STOMP, rb"stomp(?:\+ssl)?", "stomp", names=("STOMP_URL", "broker"), port=":61613", tail=""),
    Rule(
        "nats/token",
        NATS,
        rb"(?<![A-Za-z0-9])nats://(?P<secret>[A-Za-z0-9_-]{12,128})@" + HOST,
        specificity=STRUCTURAL,
        score=65,
        check=judge,
        examples=(
            text("NATS_URL=nats://", part("secret", an(22)), "@", part("host", "nats.corp.io"), ":4222\n"),
            text('nats.Connect("nats://', part("secret", an(32)), "@", part("host", "10.2.0.9"), ':4222")\n'),
            text("  servers: nats://", part("secret", an(43)), "@", part("host", "nats.corp.io"), "\n"),
        ),
        near_misses=(
            text("NATS_URL=nats://", an(11), "@nats.corp.io:4222\n"),
            text("NATS_URL=nats://nats.corp.io:4222\n"),
            text("NATS_URL=nats://$NATS_TOKEN@nats.corp.io:4222\n"),
        ),
    ),
    variable_rule("amqp/variable", AMQP, rb"(?i:(?:RABBITMQ|AMQP|RABBIT)_(?:[a-z]{2,12}_)?(?:PASSWORD|PASS|PWD))", "RABBITMQ_DEFAULT_PASS", "guest"),
    variable_rule("mqtt/variable", MQTT, rb"(?i:(?:MQTT|MOSQUITTO)_(?:[a-z]{2,12}_)?(?:PASSWORD|PASS|PWD))", "MQTT_PASSWORD", "guest"),
)  # fmt: skip
