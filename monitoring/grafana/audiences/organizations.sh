#!/bin/sh
# Written by sor dashboards from the list of audiences: do not edit.
# Makes the organizations of the audiences, in a Grafana that runs without their data sources. Usage:
#   GRAFANA=http://admin:<password>@127.0.0.1:3001 sh organizations.sh
set -eu

organization() {
  found=$(curl --silent --fail "$GRAFANA/api/orgs/$1" || true)
  [ -n "$found" ] || curl --silent --fail --json "{\"name\": \"$2\"}" "$GRAFANA/api/orgs" >/dev/null
  curl --silent --fail "$GRAFANA/api/orgs/$1" | grep -q "\"name\":\"$2\"" || {
    echo "Organization $1 is not $2: the data sources would go to another." >&2
    exit 1
  }
}

organization 2 "Gemeente Amsterdam"
organization 3 "Gemeente Aalsmeer"
organization 4 "Gemeente Amstelveen"
organization 5 "Gemeente Diemen"
organization 6 "Gemeente Ouder-Amstel"
organization 7 "Gemeente Uithoorn"
organization 8 "Gemeente Edam-Volendam"
organization 9 "Gemeente Landsmeer"
organization 10 "Gemeente Oostzaan"
organization 11 "Gemeente Purmerend"
organization 12 "Gemeente Waterland"
organization 13 "Gemeente Wormerland"
organization 14 "Gemeente Zaanstad"
organization 15 "Gemeente Almere"
organization 16 "Cluster Amsterdam"
organization 17 "Cluster Amstelveen-Aalsmeer"
organization 18 "Cluster DUO"
organization 19 "Cluster Zaanstreek-Waterland"
organization 20 "Aanbieders Amsterdam"
organization 21 "Aanbieders Amstelveen-Aalsmeer"
organization 22 "Aanbieders DUO"
organization 23 "Aanbieders Zaanstreek-Waterland"
