"""A made-up region in the field's own file formats, with the figures that must come out of it.

``simulate(SimulationConfig(...), out)`` writes, byte for byte the same for the same configuration:

- ``berichten/<yyyy-mm>/…xml``: iJw 3.2. JW301 for every assignment, JW305 and JW307 (one file per message), JW323 (one
  per provider, gemeente and month), and the answers JW306, JW308 and JW325;
- ``rap/<agb>_scores_<yyyymm>.csv``: GAS and probleemafname; the file has no provider column, its name starts with the
  AGB code;
- ``cem/<agb>_cem_<yyyymm>.csv``: CEM+ answers, nine columns;
- ``bergop/<agb>_bergop_<yyyymm>.csv``: the same with the column ``gemeente`` [P], for providers that use BergOp; rows
  of other municipalities must be dropped;
- ``cbs/1-eerste/<agb>_cbs_<half year>.csv``: CBS-structured files of providers in Almere, with ``cbs/layout.toml`` [P];
  with faults a full redelivery (``cbs/2-opnieuw``) and one that breaks off (``cbs/3-half``);
- ``te-laat/…xml`` (with faults): messages that come after all else;
- ``expected.json``: see below; ``faults.json`` (with faults): what was planted where; ``README.txt``: the same
  in Dutch.

Files are to be delivered sorted by path (``bergop``, ``berichten``, ``cem``, ``rap``, ``te-laat``): a later upload of a
score replaces an earlier one. CBS files need ``--layout cbs/layout.toml --periode <half year>`` and one run per folder:
a run is one delivery, and a later one replaces an earlier one. A half year is accepted until the end of the next.

``expected.json`` is one object:

- ``configuratie``: the arguments and the definitions the expectation rests on (``tools.simulator.tables.Definities``);
- ``cbs``: the rows that the CBS files give, in the same shape (``bron`` cbs);
- ``trajecten``: a list of rows (``tools.simulator.expected.Row``), one a line, no BSN. ``index`` is the simulator's
  own; without it the rows are a multiset to be matched. ``einddatum`` and ``reden`` are null unless ``status`` is
  ``beeindigd``; ``code`` is '' where none was sent; null in ``gas`` and ``probleem`` is the value x;
- ``indicatoren``: ``totaal`` and ``clusters`` (by name): uitval, nut, zonder_hulp, gas, each with n and ``uitgesloten``
  (excluded n); category 47 to 49 is left out;
- ``verder``: the same for 3.2 (definite and provisional), respons in three kinds and probleemafname, with their
  reference day ``peildatum``; and ``cbs``, the variants over the CBS files;
- ``niet_gekoppeld``: accepted metingen and (last) scores that belong to no traject; ``wacht``: what they and the rows
  of trajecten wait for, counted by reason;
- ``bronnen``: per source the counts of ``tools.simulator.output.Tally``; ``afgewezen`` is keyed by the project's own
  rejection codes.

No code is shared with the fold or the indicators: expectations follow from what the simulator decided itself.
"""

from __future__ import annotations

from tools.simulator.config import Progress, SimulationConfig
from tools.simulator.run import SimulationError, build_world, simulate, write_world
from tools.simulator.writer import Summary

__all__ = ["Progress", "SimulationConfig", "SimulationError", "Summary", "build_world", "simulate", "write_world"]
