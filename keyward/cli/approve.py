"""`keyward approve`"""

from __future__ import annotations

from typing import Annotated

import typer


def approve(
    digest: Annotated[str, typer.Argument(help="The plan's digest, as `keyward plan` prints it.")],
    key: Annotated[
        str, typer.Option("--key", metavar="FILE", help="Sign with this SSH key (or its .pub, if ssh-agent holds it).")
    ] = "",
    principal: Annotated[str, typer.Option("--as", metavar="NAME", help="Whose key it is, where it has several names.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Only show the plan, and say whether your approval would count.")
    ] = False,
    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Your own configuration, instead of $KEYWARD_CONFIG or the one in your configuration folder.",
        ),
    ] = None,
) -> None:
    """Agree to a plan that a lane wants approved: as this system user, or with a signing SSH key. It is recorded.

    For example: keyward approve 3f9ab2c41d5e --key ~/.ssh/id_ed25519
    """
    import time

    from keyward.cli.ask import ask
    from keyward.flows import approvals as flow
    from keyward.flows.workplace import open_workplace
    from keyward.report.escape import log

    with open_workplace(config, prompt=ask) as place:
        full = flow.full_digest(place, digest)
        for line in flow.plan_summary(place, full):
            print(f"  {log(line)}")
        approval, unrecorded = flow.approve(place, full, key=key, principal=principal, dry_run=dry_run)
        counts = place.operator.approvers.starter_counts
    until = time.strftime("%Y-%m-%d %H:%M", time.gmtime(approval.expires))
    does = "would approve" if dry_run else "approves"
    print(f"{log(approval.person)} {does} {log(approval.digest)} (by {approval.by}), until {until} UTC")
    if not counts:
        print(f"  it counts for a rotation that somebody else than {log(approval.person)} starts")
    if unrecorded:
        print(f"  the audit log has no entry of it: {log(unrecorded)}")
