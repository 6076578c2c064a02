"""The text that lies beside the files."""

from __future__ import annotations

README = """\
NAGEMAAKTE GEGEVENS - GEEN ENKEL PERSOON BESTAAT

Deze map is gemaakt met `sor simulate --clients {clients} --months {months} --seed {seed} --until {until}{faults}`.
Dezelfde opdracht geeft byte voor byte dezelfde map.

berichten/    iJw 3.2-berichten (XML): JW301 (toewijzing), JW305 (start) en JW307 (stop), één bestand per bericht; JW323
              (declaratie), één bestand per aanbieder, gemeente en maand; de antwoorden JW306, JW308 en JW325. Mappen
              per maand van dagtekening.
rap/          GAS-scores en probleemafname: <AGB-code>_scores_<jaarmaand>.csv, zoals ze in RAP worden geüpload.
              Een bestand noemt zelf geen aanbieder: die staat in de bestandsnaam.
cem/          CEM+-antwoorden: <AGB-code>_cem_<jaarmaand>.csv, één regel per antwoord.
bergop/       dezelfde antwoorden van aanbieders die BergOp gebruiken, met een kolom gemeente. Regels van gemeenten
              buiten de regio horen erbij en mogen niet meetellen.
cbs/          bestanden van aanbieders in Almere in de indeling van CBS, met layout.toml. Met --faults drie mappen:
              de eerste levering, een nieuwe die haar vervangt, en een die halverwege ophoudt.
te-laat/      alleen met --faults: berichten die pas na al het andere komen.
expected.json wat eruit moet komen: de trajecten, de indicatoren per cluster en in totaal, en de tellingen per bron.
faults.json   alleen met --faults: welke fouten met opzet zijn aangebracht, en in welke bestanden.

Lever de bestanden aan in volgorde van hun pad: latere uploads van dezelfde score gaan voor. Lever de mappen onder cbs/
na elkaar, elk apart: sor deliver cbs/1-eerste --layout cbs/layout.toml --periode {periode}

BSN's: eerst de 9.091 officiële testnummers (999900006 - 999999990); zijn die op, dan zelf gemaakte nummers vanaf
900000000 die aan de elfproef voldoen. Alle namen beginnen met "Test". AGB-codes beginnen met 99 en zijn van niemand.
De inwonertallen, verdelingen, tarieven en de betekenis van de CEM+-vragen zijn bedacht om mee te testen: lees er niets
uit af over de jeugdhulp.
"""
