-- not staged
COPY "shop"."Orders" ("id", "total", "at", "region") FROM STDIN
-- no merge

CREATE TEMPORARY TABLE "sluice_stage_1" ON COMMIT DELETE ROWS AS SELECT "id", "total", "at"::timestamptz AS "at", "region" FROM "shop"."Orders" WITH NO DATA
COPY pg_temp."sluice_stage_1" ("id", "total", "at", "region") FROM STDIN
INSERT INTO "shop"."Orders" ("id", "total", "at", "region") SELECT "id", "total", "at"::timestamp, "region" FROM pg_temp."sluice_stage_1"

CREATE TEMPORARY TABLE "sluice_stage_1" ON COMMIT DELETE ROWS AS SELECT "id", "region", "total", "at" FROM "shop"."Orders" WITH NO DATA
COPY pg_temp."sluice_stage_1" ("id", "region", "total", "at") FROM STDIN
INSERT INTO "shop"."Orders" ("id", "region", "total", "at") SELECT "id", "region", "total", "at" FROM pg_temp."sluice_stage_1" ON CONFLICT ("id", "region") DO UPDATE SET "total" = EXCLUDED."total", "at" = EXCLUDED."at"
COPY pg_temp."sluice_stage_1" ("id", "region") FROM STDIN
DELETE FROM "shop"."Orders" AS t USING pg_temp."sluice_stage_1" AS s WHERE t."id" = s."id" AND t."region" = s."region"

CREATE TEMPORARY TABLE "sluice_stage_7" ON COMMIT DELETE ROWS AS SELECT "id", "region", "total", "at"::timestamptz AS "at" FROM "shop"."Orders" WITH NO DATA
COPY pg_temp."sluice_stage_7" ("id", "region", "total", "at") FROM STDIN
INSERT INTO "shop"."Orders" ("id", "region", "total", "at") SELECT "id", "region", "total", "at"::timestamp FROM pg_temp."sluice_stage_7" ON CONFLICT ("id", "region") DO UPDATE SET "total" = EXCLUDED."total", "at" = EXCLUDED."at" WHERE ("Orders"."total", "Orders"."at") IS DISTINCT FROM (EXCLUDED."total", EXCLUDED."at")
COPY pg_temp."sluice_stage_7" ("id", "region") FROM STDIN
DELETE FROM "shop"."Orders" AS t USING pg_temp."sluice_stage_7" AS s WHERE t."id" = s."id" AND t."region" = s."region"

CREATE TEMPORARY TABLE "sluice_stage_1" ON COMMIT DELETE ROWS AS SELECT "id", "total", "at", "region" FROM "shop"."Orders" WITH NO DATA
COPY pg_temp."sluice_stage_1" ("id", "total", "at", "region") FROM STDIN
UPDATE "shop"."Orders" AS t SET "total" = s."total", "at" = s."at", "region" = s."region" FROM pg_temp."sluice_stage_1" AS s WHERE t."id" = s."id"
COPY pg_temp."sluice_stage_1" ("id") FROM STDIN
DELETE FROM "shop"."Orders" AS t USING pg_temp."sluice_stage_1" AS s WHERE t."id" = s."id"
