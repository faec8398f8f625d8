-- One period's lines of one side. Amounts leave binary float here, line by line, so that its noise is in no sum.
-- STATUS 1 is a proposal. Card types 4 and 22 are group companies: nobody's debt.
SELECT C."CODE" AS "CODE", L."SIGN" AS "ISARET", CAST(L."AMOUNT" AS DECIMAL(28, 6)) AS "TUTAR", $day AS "GUN"
FROM $lines L JOIN $cards C ON C."LOGICALREF" = L."CLIENTREF"
WHERE L."CANCELLED" = 0 AND $real AND C."CARDTYPE" NOT IN (4, 22) AND C."CODE" LIKE '$prefix%' AND $wanted
