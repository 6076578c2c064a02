-- What the moment of a row says: that of its own provider, so that rows of one child at two providers share none.

ALTER TABLE trajecten
    COMMENT COLUMN IF EXISTS gebeurd_op 'Publication time of the newest event of its provider that was folded in; 1970 when it changed by what another provider told.';

ALTER TABLE metingen
    COMMENT COLUMN IF EXISTS gebeurd_op 'Publication time of the newest event of its provider that was folded in; 1970 when it changed by what another provider told.';

ALTER TABLE scores
    COMMENT COLUMN IF EXISTS gebeurd_op 'Publication time of the newest event of its provider that was folded in; 1970 when it changed by what another provider told.';
