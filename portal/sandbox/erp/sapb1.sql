-- The same ledger as SAP Business One keeps it: journal lines with two columns, decimal amounts.
CREATE SCHEMA "SBO_DEMO";
CREATE TABLE "SBO_DEMO"."OCRD" (
    "CardCode" varchar(15) PRIMARY KEY, "CardName" varchar(100), "CardType" char(1), "Balance" numeric(21,6), "Currency" varchar(3),
    "frozenFor" char(1), "E_Mail" varchar(100), "LicTradNum" varchar(32), "SlpCode" int, "GroupCode" smallint, "FatherCard" varchar(15),
    "ChannlBP" varchar(15));
CREATE TABLE "SBO_DEMO"."OSLP" ("SlpCode" int PRIMARY KEY, "SlpName" varchar(155));
INSERT INTO "SBO_DEMO"."OSLP" VALUES (1, 'Ayşegül Işık'), (2, 'Çağrı Öz'), (3, 'İlker Şen');
CREATE TABLE "SBO_DEMO"."OCRG" ("GroupCode" smallint PRIMARY KEY, "GroupName" varchar(20));
INSERT INTO "SBO_DEMO"."OCRG" SELECT g, 'Grup ' || g FROM generate_series(100, 106) g;

CREATE TABLE "SBO_DEMO"."OJDT" ("TransId" int PRIMARY KEY, "RefDate" timestamp, "TransType" varchar(20), "TransCode" varchar(4),
    "StornoToTr" int);
CREATE TABLE "SBO_DEMO"."JDT1" (
    "TransId" int, "Line_ID" int, "Account" varchar(15), "ShortName" varchar(15), "Debit" numeric(21,6), "Credit" numeric(21,6),
    "FCDebit" numeric(21,6), "FCCredit" numeric(21,6), "FCCurrency" varchar(3), "BalDueDeb" numeric(21,6), "BalDueCred" numeric(21,6),
    "RefDate" timestamp, "DueDate" timestamp, "TaxDate" timestamp, "TransType" varchar(20), "BaseRef" varchar(11), "LineMemo" varchar(50),
    PRIMARY KEY ("TransId", "Line_ID"));
INSERT INTO "SBO_DEMO"."OJDT"
SELECT n, on_day, CASE WHEN opening AND n % 2 = 0 THEN '-2' WHEN opening THEN '30' WHEN trcode = 38 THEN '13' WHEN trcode = 31 THEN '18'
                  WHEN module = 4 THEN '14' ELSE '24' END, CASE WHEN opening AND n % 2 = 1 THEN 'ACF' ELSE '' END, NULL
FROM erp_staging.line WHERE NOT cancelled AND NOT proposal;
INSERT INTO "SBO_DEMO"."JDT1"
SELECT l.n, 0, p.side, p.code, CASE WHEN sign = 0 THEN amount ELSE 0 END, CASE WHEN sign = 1 THEN amount ELSE 0 END,
       CASE WHEN euro AND sign = 0 THEN round(amount / 48.25, 2) ELSE 0 END,
       CASE WHEN euro AND sign = 1 THEN round(amount / 48.25, 2) ELSE 0 END, CASE WHEN euro THEN 'EUR' ELSE '' END,
       CASE WHEN sign = 0 THEN amount ELSE 0 END, CASE WHEN sign = 1 THEN amount ELSE 0 END,
       on_day, on_day + 30, on_day - (l.n % 4)::int, j."TransType", l.n % 100000000, words
FROM erp_staging.line l JOIN erp_staging.party p ON p.n = l.party JOIN "SBO_DEMO"."OJDT" j ON j."TransId" = l.n;
CREATE INDEX ON "SBO_DEMO"."JDT1" ("ShortName", "RefDate");
INSERT INTO "SBO_DEMO"."OCRD"
SELECT p.code, p.name, CASE WHEN p.side = '120' THEN 'C' ELSE 'S' END, coalesce(b.balance, 0), CASE WHEN p.n % 40 = 0 THEN 'EUR' ELSE 'TRY' END,
       CASE WHEN p.passive THEN 'Y' ELSE 'N' END, 'hesap' || p.n || '@ornek.example', lpad((1000000000 + p.n)::text, 10, '0'),
       1 + p.n % 3, 100 + p.n % 7, NULL, NULL
FROM erp_staging.party p
LEFT JOIN (SELECT "ShortName", sum("Debit" - "Credit") AS balance FROM "SBO_DEMO"."JDT1" GROUP BY 1) b ON b."ShortName" = p.code;
CREATE TABLE "SBO_DEMO"."OITR" ("ReconNum" int PRIMARY KEY, "ReconDate" timestamp);
CREATE TABLE "SBO_DEMO"."ITR1" ("ReconNum" int, "TransId" int, "TransRowId" int, "ReconSum" numeric(21,6), "IsCredit" char(1));
ANALYZE "SBO_DEMO"."JDT1";
ANALYZE "SBO_DEMO"."OJDT";
