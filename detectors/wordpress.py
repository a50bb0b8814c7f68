"""WordPress keys, salts and database password.

What it is: the eight keys and salts of 64 printable characters, and DB_PASSWORD, all defined in wp-config.php.
Where it is used: wp-config.php, its backups (`wp-config.php~`, `.bak`), site archives, images.
What an attacker can do: with the salts, forge the cookies of any user, administrators included, if a password hash is known; with
  the database password, read and change the whole site where the database can be reached.
How to replace it: take new salts from api.wordpress.org, which logs everybody out; change the database user's password at the
  host and in the file.
References: https://developer.wordpress.org/apis/wp-config-php/
"""

from __future__ import annotations

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Parts, Rule, Signal
from keyward.plugin.shapes import ALNUM, assigned, chars, part, text

from ._passwords import PASSWORD, judge

SALT, DB_PASSWORD = Kind("wordpress/salt"), Kind("wordpress/db-password")

_PAGE = "https://developer.wordpress.org/apis/wp-config-php/"

KINDS = (
    CredentialKind(SALT, "WordPress key or salt", "high", references=(_PAGE,),
                   manual=Manual(("Take new keys from the generator and put them into wp-config.php; everybody logs in again.",), "https://api.wordpress.org/secret-key/1.1/salt/")),
    CredentialKind(DB_PASSWORD, "WordPress database password", "critical", references=(_PAGE,),
                   manual=Manual(("Change the database user's password at the host.", "Change DB_PASSWORD in wp-config.php."), _PAGE)),
)  # fmt: skip


def _check(parts: Parts) -> Signal | None:
    value = parts["secret"]
    return Signal("context", -60, "not set yet") if b"unique phrase" in value or len(set(value)) < 16 else Signal("structure", 10, "64 characters")


_VALUE = chars(ALNUM + "!@#$%^&*()-_[]{}<>~`+=,.;:/?| ", 64)

RULES = (
    Rule(
        "wordpress/salt",
        SALT,
        rb"define\(\s{0,3}['\"](?:AUTH|SECURE_AUTH|LOGGED_IN|NONCE)_(?:KEY|SALT)['\"],\s{0,20}['\"](?P<secret>[^'\"\\\r\n]{64})['\"]\s{0,3}\)",
        specificity=STRUCTURAL,
        score=75,
        check=_check,
        placeholders=False,
        examples=(
            assigned("AUTH_KEY", _VALUE, form="define('{name}',         '{value}');\n"),
            assigned("SECURE_AUTH_SALT", _VALUE, form="define( '{name}', '{value}' );\n"),
            assigned("NONCE_KEY", _VALUE, form="define(\"{name}\", '{value}');\n"),
        ),
        near_misses=(
            assigned("AUTH_KEY", "put your unique phrase here", form="define('{name}', '{value}');\n"),
            assigned("AUTH_KEY", chars(ALNUM, 63), form="define('{name}', '{value}');\n"),
            assigned("AUTH_KEY", chars(ALNUM, 65), form="define('{name}', '{value}');\n"),
            assigned("OTHER_KEY", chars(ALNUM, 64), form="define('{name}', '{value}');\n"),
        ),
    ),
    Rule(
        "wordpress/db-password",
        DB_PASSWORD,
        rb"define\(\s{0,3}['\"]DB_PASSWORD['\"],\s{0,20}['\"](?P<secret>[^'\"\r\n]{3,128})['\"]\s{0,3}\)",
        specificity=STRUCTURAL,
        score=70,
        check=judge,
        examples=(
            assigned("DB_PASSWORD", PASSWORD, form="define('{name}', '{value}');\n"),
            assigned("DB_PASSWORD", PASSWORD, form="define( '{name}', '{value}' );\n"),
            text("define('DB_USER', 'wp');\ndefine(\"DB_PASSWORD\", \"", part("secret", PASSWORD), "\");\n"),
        ),
        near_misses=(
            assigned("DB_PASSWORD", "password", form="define('{name}', '{value}');\n"),
            assigned("DB_PASSWORD", "password_here", form="define('{name}', '{value}');\n"),
            text("define('DB_PASSWORD', getenv('WORDPRESS_DB_PASSWORD'));\n"),
        ),
    ),
)  # fmt: skip
