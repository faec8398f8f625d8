-- The newest period's payment plan, never allocated by hand: every line is an open item, due a month later.
CREATE TABLE "LOGO"."LG_:firm_:period_PAYTRANS" AS
SELECT "LOGICALREF", "CLIENTREF" AS "CARDREF", "DATE_" + interval '30 days' AS "DATE_", "DATE_" AS "PROCDATE", "MODULENR", "TRCODE",
       "SIGN", "AMOUNT" AS "TOTAL", 0::float8 AS "PAID", 0 AS "CROSSREF", 0::smallint AS "CANCELLED"
FROM "LOGO"."LG_:firm_:period_CLFLINE" WHERE "CANCELLED" = 0 AND "STATUS" = 0;
