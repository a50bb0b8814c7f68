"""IBM Cloud API keys.

What it is: a key of a user or service id of IBM Cloud: 44 characters of URL-safe base64 without a prefix, so that only
  the name tells it.
Where it is used: `IBMCLOUD_API_KEY`, `IC_API_KEY`, `apikey.json`, Terraform, `ibmcloud login --apikey`.
What an attacker can do: all that the user or service id may do in the account; watsonx and databases included.
How to replace it: create a new key at cloud.ibm.com, Manage, Access, API keys; lock the old one, watch, then delete it.
References: https://cloud.ibm.com/docs/account?topic=account-userapikey
  https://github.com/Yelp/detect-secrets (ibm_cloud_iam.py: 44 characters)
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import b64url, concat

from ._cloud import by_name, credential
from ._forms import SLUG

KEY = Kind("ibm/cloud-api-key")

KINDS = (
    credential(
        KEY,
        "IBM Cloud API key",
        "critical",
        "https://cloud.ibm.com/iam/apikeys",
        see="https://cloud.ibm.com/docs/account?topic=account-userapikey",
    ),
)

RULES = (
    by_name(
        KEY,
        rb"(?:ibm_?cloud|ibm|(?<![a-z0-9])ic|bluemix|watsonx?)[a-z0-9_. -]{0,16}(?:api_?-?key|iam_?-?key)",
        rb"[A-Za-z0-9_-]{44}",
        "IBMCLOUD_API_KEY",
        b64url(44),
        (
            b64url(43),
            b64url(45),
            concat(b64url(43), "+"),
        ),
        edge=SLUG,
        score=66,
    ),
)
