-- What Logo keeps beside a period's lines: indexes, its own totals, its payment plan.
CREATE INDEX ON "LOGO"."LG_:firm_:period_CLFLINE" ("CLIENTREF", "DATE_", "MODULENR", "TRCODE");
CREATE INDEX ON "LOGO"."LG_:firm_:period_CLFLINE" ("DATE_", "TRCODE", "TRANNO");

CREATE TABLE "LOGO"."LG_:firm_:period_GNTOTCL" AS
SELECT "CLIENTREF" AS "CARDREF", 1::smallint AS "TOTTYP", sum(d)::float8 AS "DEBIT", sum(c)::float8 AS "CREDIT"
FROM (SELECT "CLIENTREF", CASE WHEN "SIGN" = 0 THEN "AMOUNT"::numeric ELSE 0 END AS d,
             CASE WHEN "SIGN" = 1 THEN "AMOUNT"::numeric ELSE 0 END AS c
      FROM "LOGO"."LG_:firm_:period_CLFLINE" WHERE "CANCELLED" = 0 AND "STATUS" = 0) AS l
GROUP BY "CLIENTREF";
CREATE TABLE "LOGO"."LG_:firm_:period_CLTOTFIL" AS
SELECT "CLIENTREF" AS "CARDREF", 1::smallint AS "TOTTYP", "YEAR_", "MONTH_",
       sum(CASE WHEN "SIGN" = 0 THEN "AMOUNT"::numeric ELSE 0 END)::float8 AS "DEBIT",
       sum(CASE WHEN "SIGN" = 1 THEN "AMOUNT"::numeric ELSE 0 END)::float8 AS "CREDIT"
FROM "LOGO"."LG_:firm_:period_CLFLINE" WHERE "CANCELLED" = 0 AND "STATUS" = 0
GROUP BY "CLIENTREF", "YEAR_", "MONTH_";
ANALYZE "LOGO"."LG_:firm_:period_CLFLINE";
ANALYZE "LOGO"."LG_:firm_CLCARD";
