"""Control and audit: who asked for what, when, why, how long it took, and what failed."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deskwatch.dashboards import command_table
from deskwatch.dashboards.counts import counts, total
from deskwatch.dashboards.frame import frame
from deskwatch.dashboards.layout import Line, section
from deskwatch.dashboards.lines import activity
from deskwatch.dashboards.panels import course, figure, states
from deskwatch.dashboards.promql import SHOWN, grown, increase, part, quantile, series
from deskwatch.dashboards.variables import BOT

_BAD_FROM_ONE = ((None, "green"), (1, "red"))
_WARN_FROM_ONE = ((None, "green"), (1, "orange"))
_APPLIED = {0: ("as asked", "green"), 1: ("not as asked", "red")}
_UNMET = (
    f"max by (bot) ({series('tradebot_desired_mode')} == 1 unless on (job, instance, bot, mode) "
    f"{series('tradebot_mode')} == 1) or max by (bot) ({series('tradebot_mode')}) * 0"
)
_JOURNAL = f'{{service_name="deskwatch", {BOT}}}'


def control() -> Dashboard:
    """The dashboard."""
    dashboard = frame(
        "control",
        "Control and audit",
        "For whoever answers for what was done to the bots: each command with its giver, its reason and its end, how "
        "long bots take to obey, and who was turned away.",
        since="now-24h",
    )
    section(dashboard, 100, "In the time shown", _figures())
    section(dashboard, 200, "Commands", [command_table.command_table(11)], *_commands())
    section(dashboard, 300, "Modes", *_modes())
    section(dashboard, 400, "Access", *_access())
    section(dashboard, 500, "Settings and processes", *_settings())
    return dashboard


def _count(counter: str) -> str:
    return f"{grown(counter, window=SHOWN)} or vector(0)"


def _figures() -> Line:
    return [
        figure(
            1,
            "Not as asked",
            "Bots that act by another mode than the one last asked for. Seconds are normal; if it stays, the bot did "
            "not hear: stop its process if it must not trade.",
            (f"sum({_UNMET}) or vector(0)", "bots"),
            unit="none",
            steps=_BAD_FROM_ONE,
        ),
        figure(
            2,
            "Commands open",
            "Commands that were accepted and have not ended. One that stays open is held by the bot's own code, or the "
            "bot is gone.",
            (f"sum({series('tradebot_commands_open')}) or vector(0)", "open"),
            unit="none",
            steps=((None, "green"), (5, "orange")),
        ),
        total(
            3,
            "Unconfirmed",
            "Commands whose effect could not be seen in the bot's journal in time. Their end is unknown: look at the "
            "venue itself before giving them again.",
            (_count("tradebot_commands_unconfirmed_total"), "unconfirmed"),
            unit="none",
            steps=_BAD_FROM_ONE,
            decimals=0,
        ),
        total(
            4,
            "Failed",
            "Commands that the bot could not do. The reason stands in the table below.",
            (_count("tradebot_commands_failed_total"), "failed"),
            unit="none",
            steps=_WARN_FROM_ONE,
            decimals=0,
        ),
        total(
            5,
            "Expired",
            "Commands that the bot did not start in time, and will not start any more: it was down or busy. Give them "
            "again if they still make sense.",
            (_count("tradebot_commands_expired_total"), "expired"),
            unit="none",
            steps=_WARN_FROM_ONE,
            decimals=0,
        ),
        total(
            6,
            "Accepted",
            "All commands that were passed on to the bots.",
            (_count("tradebot_commands_accepted_total"), "accepted"),
            unit="none",
            decimals=0,
        ),
        total(
            7,
            "Done within, p95",
            "How long 95 of 100 commands took from being accepted to having been done. Above some seconds a halt comes "
            "too late: see whether the pickup or the work takes the time.",
            (quantile(0.95, "tradebot_command_latency_seconds", window=SHOWN), "p95"),
            unit="s",
            steps=((None, "green"), (2, "orange"), (10, "red")),
            no_value="none done",
        ),
        total(
            8,
            "Turned away",
            "Requests to the sidecar with a bad token. A few are typing errors; many from one address are somebody who "
            "tries: the lines below tell the address.",
            (
                f"{increase('deskwatch_sign_ins_refused_total', where='', window=SHOWN)} or vector(0)",
                "refused",
            ),
            unit="none",
            steps=((None, "green"), (1, "orange"), (20, "red")),
            decimals=0,
        ),
    ]


def _commands() -> list[Line]:
    ends = {
        "done": "tradebot_commands_succeeded_total",
        "failed": "tradebot_commands_failed_total",
        "refused": "tradebot_commands_refused_total",
        "expired": "tradebot_commands_expired_total",
        "unconfirmed": "tradebot_commands_unconfirmed_total",
    }
    done = grown("tradebot_commands_succeeded_total", "kind", window="1h")
    failed = grown("tradebot_commands_failed_total", "kind", window="1h")
    pickup, latency = "tradebot_command_pickup_seconds", "tradebot_command_latency_seconds"
    return [
        [
            counts(
                12,
                "Commands, by their end",
                "How commands of the bots chosen ended in each interval. Expired and unconfirmed ones are a bot that "
                "does not listen.",
                [(grown(counter), end) for end, counter in ends.items()],
                colours={
                    "done$": "green",
                    "failed$": "red",
                    "refused$": "purple",
                    "expired$": "orange",
                    "unconfirmed$": "yellow",
                },
            ),
            course(
                13,
                "Time to begin",
                "From accepting a command to the bot's beginning it: the median, and what 95 of 100 stay below. It is "
                "how long the bot's code goes between two looks at its commands.",
                [
                    (quantile(0.5, pickup, "bot"), "{{bot}} median"),
                    (quantile(0.95, pickup, "bot"), "{{bot}} p95"),
                ],
                unit="s",
                least=0,
                exemplars=True,
            ),
            course(
                14,
                "Time to be done",
                "From accepting a command to its success, by command: what 95 of 100 stay below. Closing positions may "
                "take its time; a change of mode may not.",
                [(quantile(0.95, latency, "kind"), "{{kind}} p95")],
                unit="s",
                least=0,
                exemplars=True,
            ),
        ],
        [
            counts(
                15,
                "Commands accepted, by command",
                "In each interval. Many of one kind are a person who presses again, or a script in a loop.",
                [(grown("tradebot_commands_accepted_total", "kind"), "{{kind}}")],
            ),
            course(
                16,
                "Failed of ended, over an hour",
                "Commands that the bot could not do, of those that it did or could not do. Nothing where none ended.",
                [(part(failed, f"{done} + {failed}"), "{{kind}}")],
                unit="percentunit",
                least=0,
                most=1,
            ),
            counts(
                17,
                "Commands open",
                "Accepted and not ended, by command. BotCommandUnconfirmed tells of those that never end.",
                [(f"sum by (kind) ({series('tradebot_commands_open')})", "{{kind}}")],
            ),
        ],
    ]


def _modes() -> list[Line]:
    return [
        [
            states(
                21,
                "Does each bot act by the mode that was asked for?",
                "Green while the mode that the bot acts by is the one last asked for. Red for longer than a few "
                "seconds makes BotModeNotApplied fire.",
                [(_UNMET, "{{bot}}")],
                names=_APPLIED,
                span=16,
                height=8,
            ),
            counts(
                22,
                "Changes of mode",
                "In each interval, by the new mode. A bot that goes to and fro has a limit of its own that is too "
                "tight.",
                [(grown("tradebot_mode_changes_total", "mode"), "to {{mode}}")],
            ),
        ],
        [
            activity(
                23,
                "Changes of mode, with who and why",
                "From which mode to which, who asked (a token's name, or the bot itself), and the reason given.",
                f"{_JOURNAL} | type = `mode_changed` | json "
                "| line_format `{{.bot}}  {{.previous}} → {{.mode}}  by {{.actor}}  {{.reason}}`",
                height=7,
            )
        ],
    ]


def _access() -> list[Line]:
    return [
        [
            counts(
                31,
                "Turned away, by reason",
                "Requests to the sidecar in each interval that came with no token, a wrong or expired one, or one that "
                "may not do this or is not for this bot.",
                [(increase("deskwatch_sign_ins_refused_total", "reason", where=""), "{{reason}}")],
            ),
            counts(
                32,
                "Tokens made and revoked",
                "In each interval. A token that nobody here made: revoke it, and then all others.",
                [
                    (increase("deskwatch_tokens_made_total", where=""), "made"),
                    (increase("deskwatch_tokens_revoked_total", where=""), "revoked"),
                ],
            ),
            course(
                33,
                "Answers held up",
                "Requests with a wrong token whose answer is held up, so that guessing takes long. Many at once are "
                "an attack: close the port to the outside.",
                [("max by (instance) (deskwatch_sign_ins_slowed)", "{{instance}}")],
                unit="none",
                least=0,
            ),
        ],
        [
            activity(
                34,
                "Tokens and sign-ins",
                "Tokens made and revoked, with what they may do; requests turned away, with route, address and how "
                "many.",
                '{service_name="deskwatch", bot="_sidecar", kind="control"} '
                "| type =~ `token_made|token_revoked|sign_in_refused` | json "
                "| line_format `{{.type}}  {{.name}} {{.scopes}} {{.problem}} {{.route}} {{.remote}}"
                "{{if .attempts}} {{.attempts}} times{{end}}`",
                height=7,
            )
        ],
    ]


def _settings() -> list[Line]:
    return [
        [
            course(
                41,
                "Instruments watched",
                "How many instruments each bot watches. A step that nobody ordered is a list that was read wrongly.",
                [(f"max by (bot) ({series('tradebot_watchlist_symbols')})", "{{bot}}")],
                unit="none",
                least=0,
            ),
            counts(
                42,
                "Configuration read anew",
                "How often each bot read its configuration again, in each interval. Set it beside what changed in the "
                "profit at that time.",
                [(grown("tradebot_config_reloads_total", "bot"), "{{bot}}")],
            ),
            counts(
                43,
                "Process actions",
                "What was done with supervised processes in each interval: started, stopped, killed, given up.",
                [(increase("tradebot_process_actions_total", "kind"), "{{kind}}")],
            ),
        ],
        [
            activity(
                44,
                "Settings and processes, with who and why",
                "Watchlists, configurations and what was done with processes, as journaled. A click opens a line.",
                f"{_JOURNAL} | type =~ `watchlist_changed|config_reloaded|process_acted` | json "
                "| line_format `{{.bot}}  {{.type}}  {{.action}} {{.actor}} {{.reason}} {{.version}} {{.symbols}}`",
                height=7,
            )
        ],
    ]
