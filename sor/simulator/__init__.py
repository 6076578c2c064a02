"""A made-up region in the field's own file formats, with the figures that must come out of it.

`simulate(SimulationConfig(...), out)` writes, byte for byte the same for the same configuration:

- `berichten/<yyyy-mm>/…xml`: JW305 and JW307 (one file per message), JW323 (one per provider, gemeente and month),
  iJw 3.2;
- `rap/<agb>_scores_<yyyymm>.csv`: GAS and probleemafname; the file has no provider column, its name starts with the
  AGB code;
- `cem/<agb>_cem_<yyyymm>.csv`: CEM+ answers, nine columns;
- `te-laat/…xml` (with faults): messages that come after all else;
- `expected.json`: see below; `faults.json` (with faults): what was planted where; `README.txt`: the same in Dutch.

Files are to be delivered sorted by path (`berichten`, `cem`, `rap`, `te-laat`): a later upload of a score replaces an
earlier one.

`expected.json` is one object:

- `configuratie`: the arguments and the definitions the expectation rests on (`sor.simulator.tables.Definities`);
- `trajecten`: a list of rows (`sor.simulator.expected.Row`), one a line, no BSN. `index` is the simulator's own;
  without it the rows are a multiset to be matched. `einddatum` and `reden` are null unless `status` is `beeindigd`;
  `code` is '' where none was sent; null in `gas` and `probleem` is the value x;
- `indicatoren`: `totaal` and `clusters` (by name): uitval, nut, zonder_hulp, gas, each with n and `uitgesloten`
  (excluded n);
- `niet_gekoppeld`: accepted metingen and (last) scores that belong to no traject;
- `bronnen`: per source the counts of `sor.simulator.output.Telling`; `afgewezen` is keyed by the project's own
  rejection codes.

No code is shared with the fold or the indicators: expectations follow from what the simulator decided itself.
"""

from sor.simulator.config import Progress, SimulationConfig
from sor.simulator.run import SimulationError, build_world, simulate, write_world
from sor.simulator.writer import Summary

__all__ = ["Progress", "SimulationConfig", "SimulationError", "Summary", "build_world", "simulate", "write_world"]
