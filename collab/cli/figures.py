"""``collab figures``: the kept sums that reports are made of."""

import click


@click.group()
def figures() -> None:
    """Check and rebuild the sums that reports are made of."""


@figures.command("check")
def check() -> None:
    """Count every inquiry anew and compare with the kept sums. Changes nothing; takes minutes with a million.

    Ends with 1 when a sum is wrong.

    \b
    Example:
      collab figures check
    """
    from collab.reports import keeping

    wrong = list(keeping.differences())
    for one in wrong[:20]:
        where = ", ".join(str(part) for part in one.cell[1:-1] if part)
        click.echo(f"{where}: kept {one.kept}, counted {one.counted}")
    if wrong:
        raise click.ClickException(f"{len(wrong)} sum(s) are wrong; run `collab figures rebuild`.")
    click.echo("All sums are what counting gives.")


@figures.command("rebuild")
def rebuild() -> None:
    """Throw the kept sums away and count every inquiry anew. Reports say meanwhile that they are not whole.

    \b
    Example:
      collab figures rebuild
    """
    from collab.core.db import unit_of_work
    from collab.reports import keeping

    with unit_of_work():
        keeping.begin_anew(always=True)
    done = 0
    while True:
        with unit_of_work():
            counted = keeping.keep(2_000)
        if not counted:
            break
        done += counted
        click.echo(f"{done:,} counted", err=True)
    click.echo(f"The sums of {done:,} inquiries are made anew.")
