-- The windows that the figures use, as the definitions had them that made the row: a row of before was made by these.

ALTER TABLE trajecten
    ADD COLUMN IF NOT EXISTS opvolging_dagen UInt16 DEFAULT 365 COMMENT 'The follow-up window of the definitions that made the row, in days: whether there was a new start stands so many days after the end [P].' AFTER postcodegebied,
    ADD COLUMN IF NOT EXISTS respons_dagen UInt16 DEFAULT 90 COMMENT 'So many days after the end the row counts for the response, by the definitions that made it [P].' AFTER opvolging_dagen;
