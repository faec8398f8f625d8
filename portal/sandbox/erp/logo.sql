-- One period's tables, as Logo has them. Takes from the staging what is dated in the period.
-- :firm and :period are three and two digits, :begins and :ends dates, :shift what its card numbers are moved by.

CREATE TABLE "LOGO"."LG_:firm_CLCARD" (
    "LOGICALREF" int PRIMARY KEY, "ACTIVE" smallint, "CARDTYPE" smallint, "CODE" varchar(17), "DEFINITION_" varchar(51),
    "DEFINITION2" varchar(201), "SPECODE" varchar(11), "TAXNR" varchar(16), "TCKNO" varchar(16), "EMAILADDR" varchar(251),
    "CCURRENCY" smallint, "PARENTCLREF" int);
INSERT INTO "LOGO"."LG_:firm_CLCARD"
SELECT n + :shift, CASE WHEN passive THEN 1 ELSE 0 END, 3, code, left(name, 51), '', 'G' || n % 7,
       lpad((1000000000 + n)::text, 10, '0'), '', 'hesap' || n || '@ornek.example', CASE WHEN n % 40 = 0 THEN 20 ELSE 0 END, 0
FROM erp_staging.party;
-- Group companies and old drafts: they are nobody's debt.
INSERT INTO "LOGO"."LG_:firm_CLCARD" VALUES (:shift + 99999999, 0, 22, '120.99.GRUP', 'GRUP ŞİRKETİ', '', '', '', '', '', 0, 0);
CREATE UNIQUE INDEX ON "LOGO"."LG_:firm_CLCARD" ("CODE");

CREATE TABLE "LOGO"."LG_:firm_:period_CLFLINE" (
    "LOGICALREF" int PRIMARY KEY, "CLIENTREF" int, "DATE_" timestamp, "DOCDATE" timestamp, "MONTH_" smallint, "YEAR_" smallint,
    "MODULENR" smallint, "TRCODE" smallint, "SIGN" smallint, "AMOUNT" float8, "TRCURR" smallint, "TRRATE" float8,
    "TRNET" float8, "CANCELLED" smallint, "STATUS" smallint, "SOURCEFREF" int, "TRANNO" varchar(17), "DOCODE" varchar(33),
    "LINEEXP" varchar(251), "DEVIR" smallint, "DEVIRPROCDATE" timestamp);
INSERT INTO "LOGO"."LG_:firm_:period_CLFLINE"
SELECT n, party + :shift, on_day, on_day - (n % 4)::int, extract(month FROM on_day), extract(year FROM on_day), module, trcode, sign,
       amount, CASE WHEN euro THEN 20 ELSE 0 END, CASE WHEN euro THEN 48.25 ELSE 0 END,
       CASE WHEN euro THEN round(amount / 48.25, 2) ELSE amount END, CASE WHEN cancelled THEN 1 ELSE 0 END,
       CASE WHEN proposal THEN 1 ELSE 0 END, n, 'F' || lpad(n::text, 12, '0'), '', words,
       CASE WHEN opening THEN 1 ELSE 0 END, carried_from
FROM erp_staging.line WHERE on_day BETWEEN ':begins' AND ':ends';
-- Money on a card that is left out, and a bank's service invoice that belongs to nobody.
INSERT INTO "LOGO"."LG_:firm_:period_CLFLINE"
VALUES (999999991, :shift + 99999999, ':begins', ':begins', extract(month FROM date ':begins'), extract(year FROM date ':begins'),
        4, 38, 0, 777777.77, 0, 0, 777777.77, 0, 0, 1, 'GRUP', '', '', 0, NULL);
INSERT INTO "LOGO"."L_CAPIPERIOD" VALUES (:firm, :period, ':begins', ':ends', 1);
INSERT INTO "LOGO"."L_CAPIFIRM" VALUES (:firm, 'ORNEK :firm', 'Örnek Ticaret A.Ş.');
