"""Addresses of the pages: Dutch nouns. Who may open which: ``portal.people.access``."""

from __future__ import annotations

from django.urls import include, path

from portal.pages import (
    audiences,
    confirming,
    definitions,
    delivering,
    key_requests,
    keys,
    operation,
    people,
    region,
    replays,
    reports,
    results,
    start,
)

urlpatterns = [
    path("", start.start, name="start"),
    path("hulp/", start.help_, name="hulp"),
    path("aanleveren/", delivering.deliver, name="aanleveren"),
    path("aanleveren/publiek.json", delivering.public, name="aanleveren-publiek"),
    path("aanleveren/certificaat", delivering.certificate, name="aanleveren-certificaat"),
    path("aanleveren/toegang", delivering.token, name="aanleveren-toegang"),
    path("aanleveringen/", delivering.deliveries, name="aanleveringen"),
    path("resultaten/", results.results, name="resultaten"),
    path("resultaten/cijfers.csv", results.results_csv, name="resultaten-csv"),
    path("cluster/", audiences.cluster, name="cluster"),
    path("cluster/cijfers.csv", audiences.cluster_csv, name="cluster-csv"),
    path("gemeente/", audiences.town, name="gemeente"),
    path("gemeente/cijfers.csv", audiences.town_csv, name="gemeente-csv"),
    path("rapporten/", reports.reports, name="rapporten"),
    path("rapporten/<str:month>/<str:name>", reports.report, name="rapport"),
    path("gebruikers/", people.users, name="gebruikers"),
    path("gebruikers/uitnodigen/", people.invite, name="gebruiker-uitnodigen"),
    path("gebruikers/<int:number>/", people.user, name="gebruiker"),
    path("contactpersonen/", people.contacts, name="contactpersonen"),
    path("contactpersonen/<int:number>/verwijderen/", people.remove_contact, name="contactpersoon-verwijderen"),
    path("uitnodiging/<int:number>/<str:token>/", people.accept, name="uitnodiging"),
    path("sleutels/", keys.keys, name="sleutels"),
    path("sleutels/aanvragen/", key_requests.ask, name="sleutel-aanvragen"),
    path("sleutels/<int:number>/certificaat.pem", key_requests.certificate, name="sleutel-certificaat"),
    path("sleutelaanvragen/", key_requests.requests, name="sleutelaanvragen"),
    path("sleutelaanvragen/<int:number>/", key_requests.handle, name="sleutelaanvraag"),
    path("sleutelaanvragen/<int:number>/sleutel.pem", key_requests.public_key, name="sleutelaanvraag-sleutel"),
    path("organisaties/", region.organizations, name="organisaties"),
    path("organisaties/<int:number>/", region.organization, name="organisatie"),
    path("kalender/", region.calendar, name="kalender"),
    path("definities/", definitions.definitions, name="definities"),
    path("definities/bevestigd.toml", confirming.file, name="definities-bestand"),
    path("definities/<str:key>/", confirming.confirm, name="definitie"),
    path("herberekeningen/", replays.replays, name="herberekeningen"),
    path("herberekeningen/<int:number>/", replays.replay, name="herberekening"),
    path("herberekeningen/vragen/<str:key>/", replays.ask, name="herberekening-vragen"),
    path("gezondheid/", operation.health, name="gezondheid"),
    path("controlelog/", operation.audit_log, name="controlelog"),
    path("account/", include("allauth.urls")),
]

handler400 = "portal.pages.failures.bad_request"
handler403 = "portal.pages.failures.forbidden"
handler404 = "portal.pages.failures.not_found"
handler500 = "portal.pages.failures.server_error"
