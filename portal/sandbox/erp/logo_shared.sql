-- What all of Logo's firms share.
CREATE SCHEMA "LOGO";
CREATE TABLE "LOGO"."L_CAPIFIRM" ("NR" smallint, "NAME" varchar(51), "TITLE" varchar(201));
CREATE TABLE "LOGO"."L_CAPIPERIOD" ("FIRMNR" smallint, "NR" smallint, "BEGDATE" timestamp, "ENDDATE" timestamp, "ACTIVE" smallint);
CREATE TABLE "LOGO"."L_CURRENCYLIST" ("FIRMNR" smallint, "CURTYPE" smallint, "CURCODE" varchar(11));
INSERT INTO "LOGO"."L_CURRENCYLIST" SELECT f, t, c FROM (VALUES (101), (201)) AS f(f),
    (VALUES (1, 'USD'), (17, 'GBP'), (20, 'EUR'), (53, 'TRY')) AS k(t, c);
