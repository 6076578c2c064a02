"""The dashboard *Operatie*: the way of a fact from left to right, and the house that it goes through.

Under each arrow stand its rate, its lag, the age of what waits and its failures, so that the first column that is not
well names the process to help. Limits are those of the alerts.
"""

from __future__ import annotations

from typing import Final

from results.dashboards.panels import WIDTH, Json, ask, frame, limited, measure, page, section, text_panel

#: Heading of each arrow, and the stage that takes from it.
ARROWS: Final = {
    "bron → evaluate": "evaluate",
    "→ entry": "entry",
    "→ takeback": "takeback",
    "→ register": "register",
    "→ trajectories": "trajectories",
    "→ deliveries": "deliveries",
    "→ ClickHouse": "sink",
}
_INTRODUCTION: Final = (
    "**De weg van een feit, van links naar rechts.** Per pijl: tempo, achterstand, hoe lang er al niets is vastgelegd "
    "terwijl er iets wacht, en wat mislukte. De eerste kolom die afwijkt, wijst het proces aan dat hulp nodig heeft; "
    "de pagina van de waarschuwing in `docs/runbooks` zegt wat te doen."
)
_RATE: Final = "$__rate_interval"


def _arrow(unit: str, heading: str, query: str, *, limit: float | None = None, sink: str = "") -> list[Json]:
    """One line of panels over the whole width: a stat under each arrow."""
    found = []
    for at, (arrow, stage) in enumerate(ARROWS.items()):
        width = WIDTH * (at + 1) // len(ARROWS) - WIDTH * at // len(ARROWS)
        expr = sink if sink and stage == "sink" else query.replace("STAGE", stage)
        panel = frame("stat", f"{arrow}: {heading}", measure((expr, "")), width, 4, unit)
        found.append(panel if limit is None else limited(panel, limit))
    return found


def _way() -> list[Json]:
    lag = 'sum(sor_lag_records{stage="STAGE"})'
    return [
        *_arrow("short", "records/s", f'sum(rate(sor_records_total{{stage="STAGE"}}[{_RATE}]))'),
        *_arrow("short", "achterstand", lag, limit=10_000),
        *_arrow(
            "s", "leeftijd", f'(time() - max(sor_last_commit_timestamp_seconds{{stage="STAGE"}})) * ({lag} > bool 0)',
            limit=120,
        ),
        *_arrow(
            "short", "mislukt, laatste uur", 'sum(increase(sor_records_total{stage="STAGE", outcome!="accepted"}[1h]))',
            limit=1, sink="sum(increase(sor_sink_retries_total[1h]))",
        ),
    ]  # fmt: skip


def _time(title: str, unit: str, *queries: tuple[str, str], width: int = 12) -> Json:
    return frame("timeseries", title, measure(*queries), width, 8, unit)


def _number(title: str, query: str, width: int = 4, height: int = 7) -> Json:
    """A number that should be nought."""
    return limited(frame("stat", title, measure((query, "")), width, height), 1)


def _late() -> list[Json]:
    quantile = f"histogram_quantile({{}}, sum by (le) (rate(sor_freshness_seconds_bucket[{_RATE}])))"
    age = "histogram_quantile(0.5, sum by (table, le) (rate(sor_event_age_seconds_bucket[1h])))"
    rows = (
        'SELECT toStartOfMinute(ingevoegd_op) AS time, quantile(0.5)(seconden) AS "Helft binnen", '
        'quantile(0.99)(seconden) AS "99 % binnen" FROM (SELECT ingevoegd_op, '
        "dateDiff('millisecond', gebeurd_op, ingevoegd_op) / 1000 AS seconden FROM sor.trajecten "
        "WHERE $__timeFilter(ingevoegd_op) AND gebeurd_op > toDateTime64(0, 3)) GROUP BY time ORDER BY time"
    )
    return [
        section("Van publicatie tot opvraagbaar"),
        _time("Publicatie tot opvraagbaar", "s", (quantile.format(0.5), "helft binnen"),
              (quantile.format(0.99), "99 % binnen")),
        _time("Later dan twee seconden (doel: hoogstens 1 %)", "percentunit",
              ("sor:freshness_late:ratio_rate5m", "5 minuten"),
              ("sor:freshness_late:ratio_rate1h", "uur"), ("sor:freshness_late:ratio_rate6h", "6 uur")),
        frame("timeseries", "Publicatie tot opvraagbaar, volgens de rijen", [ask(rows, timed=True)], 12, 8, "s"),
        _time("Gebeurtenis tot opvraagbaar, helft binnen (steekproef)", "s", (age, "{{table}}")),
        section("Waar de tijd blijft"),
        _time("Records per seconde", "short", (f"sum by (stage) (rate(sor_records_total[{_RATE}]))", "{{stage}}")),
        _time("Achterstand", "short", ("sum by (stage, topic) (sor_lag_records)", "{{stage}} {{topic}}")),
        _time("Stap van een batch, 99 % binnen", "s",
              (f"histogram_quantile(0.99, sum by (stage, step, le) (rate(sor_batch_seconds_bucket[{_RATE}])))",
               "{{stage}} {{step}}")),
        _time("Records per batch", "short",
              (f"sum by (stage) (rate(sor_batch_records_sum[{_RATE}])) / "
               f"sum by (stage) (rate(sor_batch_records_count[{_RATE}]))", "{{stage}}")),
    ]  # fmt: skip


def _sources() -> list[Json]:
    unread = (
        'SELECT toString(stage) AS "Proces", toString(code) AS "Code", reason AS "Reden", count() AS "Records", '
        'uniqExact(sender) AS "Afzenders", toDateTime(max(rejected_at)) AS "Laatste" FROM sor.rejected FINAL '
        'WHERE $__timeFilter(rejected_at) GROUP BY stage, code, reason ORDER BY "Records" DESC LIMIT 50'
    )
    return [
        section("Bronnen en validatie"),
        _time("Records per soort", "short",
              (f"sum by (kind, outcome) (rate(sor_lines_total[{_RATE}]))", "{{kind}} {{outcome}}")),
        _time("Afgekeurd per code, laatste uur", "short",
              ("topk(10, sum by (kind, code) (increase(sor_delivery_refusals_total[1h])))", "{{kind}} {{code}}")),
        frame("table", "Sinds de laatste goede aanlevering (seconden)",
              measure(("time() - max by (kind) (sor_last_accepted_timestamp_seconds)", ""), instant=True), 8, 7),
        _number("Aanbieders met een golf van fouten", "sum(sor_burst_providers)"),
        _number("Afzenders die gokken", "max(sor_unopened_providers)"),
        _number("Aanleveringen die niet af zijn", "max(sor_unfinished_deliveries)"),
        _time("Bewerkingen en records van evaluate", "short",
              (f"sum(rate(sor_evaluations_total[{_RATE}]))", "bewerkingen"),
              (f'sum(rate(sor_records_total{{stage="evaluate"}}[{_RATE}]))', "records"), width=4),
        frame("table", "Onleesbaar", [ask(unread)], 12, 8, decimals=0),
        _time("Wacht op iets anders", "short",
              ("sum by (table, reason) (sor_pending_rows)", "{{table}} {{reason}}"), width=6),
        _time("Wacht al", "s", ("time() - min by (table, reason) (sor_pending_oldest_timestamp_seconds)",
                                "{{table}} {{reason}}"), width=6),
    ]  # fmt: skip


def _store() -> list[Json]:
    insert = f"histogram_quantile(0.99, sum by (table, le) (rate(sor_sink_insert_seconds_bucket[{_RATE}])))"
    tries = f"sum by (table) (rate(sor_sink_insert_seconds_count[{_RATE}]))"
    return [
        section("Naar ClickHouse"),
        _time("Rijen per seconde", "short",
              (f"sum by (table) (rate(sor_sink_rows_total[{_RATE}]))", "{{table}}"), width=8),
        _time("Duur van een insert, 99 % binnen", "s", (insert, "{{table}}"), width=8),
        _time("Inserts en mislukte pogingen per seconde", "short", (tries, "{{table}} gelukt"),
              (f"sum by (table) (rate(sor_sink_retries_total[{_RATE}]))", "{{table}} opnieuw"), width=8),
    ]  # fmt: skip


def _house() -> list[Json]:
    return [
        section("Huis"),
        frame("table", "Waarschuwingen nu", measure(('ALERTS{alertstate="firing"}', ""), instant=True), 12, 7),
        frame("table", "Processen (1 = antwoordt)", measure(("up", ""), instant=True), 6, 7),
        frame("table", "Gereed (1 = ja)", measure(("sor_ready", ""), instant=True), 6, 7),
        frame("table", "Werkt (0 = staat stil)", measure(("min_over_time(sor_alive[5m])", ""), instant=True), 12, 7),
        _time("Opnieuw gestart, laatste uur", "short",
              ("changes(process_start_time_seconds[1h])", "{{job}} {{instance}}")),
        _time("Toestand op schijf", "bytes", ("sum by (stage) (sor_state_bytes)", "{{stage}}"), width=6),
        _time("Vrij op de schijf", "percentunit", ("min by (instance) (sor_disk_free_share)", "{{instance}}"), width=6),
        _time("Geheugen", "bytes", ("process_resident_memory_bytes", "{{job}} {{instance}}"), width=6),
        _time("Aandeel onleesbaar", "percentunit", ("max by (stage) (sor_poison_share)", "{{stage}}"), width=6),
        frame("stat", "Sleutels verlopen over", measure(("min by (key) (sor_key_expiry_timestamp_seconds) - time()",
                                                       "{{key}}")), 6, 6, "s"),
        _number("Afwijkend bij de laatste controle", "sum(sor_audit_difference_rows)", 6, 6),
        frame("stat", "Laatste controle is oud", measure(("time() - max(sor_audit_timestamp_seconds)", "")), 6, 6, "s"),
        _time("Controles: gedaan en mislukt, laatste uur", "short",
              ("sum by (check) (increase(sor_checks_total[1h]))", "{{check}}"),
              ("sum by (check) (increase(sor_check_failures_total[1h]))", "{{check}} mislukt"), width=6),
    ]  # fmt: skip


def build() -> Json:
    """The dashboard of the operation."""
    panels = [text_panel(_INTRODUCTION, height=3), section("De weg van een feit"), *_way(), *_late(), *_sources()]
    words = "De stroom: tempo, achterstand, leeftijd en fouten per stap, en het huis eromheen."
    return page("operatie", "Operatie", words, [*panels, *_store(), *_house()], [], "now-6h")
