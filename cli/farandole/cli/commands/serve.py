"""`farandole serve` and `token`."""

from typing import Annotated, Literal

import typer

from farandole.cli.options import AsJson, Debug, LogFormat, LogLevel, Name, Store

from .panels import WORK
from .project import Archive, Db, Maybe

RoleName = Literal["see", "decide", "operate", "administer"]


def register(app: typer.Typer) -> None:
    for command in (serve, token):
        app.command(rich_help_panel=WORK)(command)


def serve(
    app: Maybe = None,
    choreography: Name = None,
    store: Store = None,
    db: Db = None,
    host: Annotated[
        str, typer.Option(help="Where to listen. Beyond this machine it takes tokens or a provider.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8600,
    tokens: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            envvar="FARANDOLE_TOKENS",
            show_envvar=False,
            help="Whose bearers may come in: farandole token. Default: $FARANDOLE_TOKENS.",
        ),
    ] = None,
    oidc_issuer: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="FARANDOLE_OIDC_ISSUER",
            show_envvar=False,
            help="An OpenID Connect provider where people log in.",
        ),
    ] = None,
    oidc_client: Annotated[
        str,
        typer.Option(
            metavar="ID",
            envvar="FARANDOLE_OIDC_CLIENT",
            show_envvar=False,
            help="What the provider knows this server by. Its secret: $FARANDOLE_OIDC_SECRET.",
        ),
    ] = "farandole",
    oidc_name: Annotated[str, typer.Option(metavar="CLAIM", help="What people are called by.")] = "preferred_username",
    oidc_roles: Annotated[
        str, typer.Option(metavar="CLAIM", help="Where their groups are, as realm_access.roles.")
    ] = "roles",
    trust_proxy: Annotated[
        list[str] | None,
        typer.Option(metavar="CIDR", help="From there, X-Forwarded-User and X-Forwarded-Groups are believed."),
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option(metavar="GROUP=ROLE", help="What those of a provider's group may do.")
    ] = None,
    everybody: Annotated[
        RoleName | None, typer.Option(help="What those of no such group may do. Default: nothing.")
    ] = None,
    https: Annotated[bool, typer.Option("--https", help="People reach it by TLS, by a proxy in front.")] = False,
    tls_cert: Annotated[str | None, typer.Option(metavar="FILE", help="Serve TLS: the certificate.")] = None,
    tls_key: Annotated[str | None, typer.Option(metavar="FILE", help="Its key.")] = None,
    host_name: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Answer under these names only.")] = None,
    keep: Annotated[
        str | None, typer.Option(help="So long closed runs stay in the tables, as 90d. Default: for ever.")
    ] = None,
    projections: Annotated[
        bool, typer.Option("--projections", help="Keep the projections that the app declares, too.")
    ] = False,
    projection: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Of these, keep this one, too. Can be repeated."),
    ] = None,
    archive: Archive = None,
    log_level: LogLevel = "info",
    log_format: LogFormat = None,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Keep the tables of runs, and serve them until SIGTERM: dashboard, HTTP API, live stream, health.

    Without the app's code runs are seen and looked after, but nothing is started, sent or answered.

    Examples:

    - `farandole serve app:orders --store kafka://localhost:9092 --db sqlite:///orders.db`
    - `farandole serve app:orders --db sqlite:///orders.db --projections`
    - `farandole serve -c orders --db postgresql://localhost/farandole --host 0.0.0.0 --tokens tokens`
    """
    from farandole.cli.projecting import database_url
    from farandole.cli.running import target, until_interrupted
    from farandole.cli.serving import Asked, Own, serve
    from farandole.schemas import parse_duration

    found = target(app, None if app else choreography, store)
    asked = Asked(
        host=host, port=port, tokens=tokens, oidc_issuer=oidc_issuer, oidc_client=oidc_client, oidc_name=oidc_name,
        oidc_roles=oidc_roles, trust_proxy=trust_proxy or (), roles=role or (), everybody=everybody, https=https,
        tls_cert=tls_cert, tls_key=tls_key, host_names=host_name or (),
    )  # fmt: skip
    least = None if keep is None else round(parse_duration(keep).total_seconds() * 1000)
    level, form = "debug" if debug else log_level, "json" if json else log_format
    own = Own(every=projections, only=projection or (), archive=archive)
    return until_interrupted(serve(found, database_url(db), asked, own, keep=least, log_level=level, log_format=form))


def token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is; they are called so in the log.")],
    role: Annotated[
        RoleName, typer.Option(help="What they may do; each role may do what those before it may.")
    ] = "see",
    also: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE", help="Further roles, for decisions asked of role:ROLE; personal: sees what is personal."
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="The last day on which it is good, as 2027-01-31.")
    ] = None,
    file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Add its hash to this file, which is for --tokens.")
    ] = None,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Make a token for the dashboard and its API. It is shown once; only its hash is kept.

    Example: `farandole token ann --role operate --also editor --file tokens`
    """
    from farandole.cli.output import Output
    from farandole.cli.serving import make_token

    return make_token(name, role, also or (), until, file, Output(json))
