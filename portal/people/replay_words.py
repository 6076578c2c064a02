"""What a recalculation that the region asks for is called on a page, and why one failed. Keys are kept, words shown."""

from __future__ import annotations

from typing import Final

#: What is asked, what becomes of it, and what it is busy with.
REPLAY_KINDS: Final = {"vergelijken": "berekenen wat er verandert", "invoeren": "de definities in gebruik nemen"}
REPLAY_STATES: Final = {
    "gevraagd": "gevraagd",
    "bezig": "bezig",
    "klaar": "klaar",
    "mislukt": "mislukt",
    "ingetrokken": "ingetrokken",
}
REPLAY_STEPS: Final = {
    "rekenen": "alle regels worden opnieuw berekend",
    "vergelijken": "de nieuwe regels worden vergeleken met die van nu",
    "wisselen": "de nieuwe regels en definities komen in gebruik",
}
#: Why it failed, and what to do.
REPLAY_PROBLEMS: Final = {
    "bezet": "Er liep al een andere herberekening. Vraag het opnieuw als die klaar is.",
    "bestand": "De bevestigde waarden passen niet in de definities die nu gelden. Bevestig ze opnieuw, en vraag het "
    "dan nog eens.",
    "bereik": "De gegevens waren niet te bereiken. Vraag het later opnieuw, en bel de operator als het dan weer "
    "niet lukt.",
    "bewogen": "De gegevens zijn intussen opnieuw geordend. Vraag het opnieuw.",
    "overdracht": "De verwerking nam de nieuwe definities niet over. Alles is gebleven zoals het was. Vraag het "
    "opnieuw op een rustig moment.",
    "half": "Het in gebruik nemen is halverwege afgebroken: regels van beide definities staan misschien naast elkaar. "
    "Vraag meteen opnieuw om de definities in gebruik te nemen, en bel de operator.",
    "afgebroken": "Het is meer dan eens afgebroken. Bel de operator: in zijn logboek staat waarom.",
    "anders": "Bel de operator: in zijn logboek staat wat er nodig is.",
}
#: Names of the tables that rows are in.
REPLAY_TABLES: Final = {"trajecten": "Trajecten", "metingen": "Metingen", "scores": "Scores"}
