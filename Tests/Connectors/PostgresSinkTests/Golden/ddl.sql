CREATE TABLE IF NOT EXISTS "shop"."Orders" (
    "a" bigint NOT NULL,
    "b" numeric,
    "c" text,
    "d" text,
    "e" text,
    "f" jsonb,
    "g" jsonb,
    "h" timestamptz,
    "i" numeric,
    PRIMARY KEY ("a")
);
ALTER TABLE "shop"."Orders"
    ADD COLUMN IF NOT EXISTS "a" bigint,
    ADD COLUMN IF NOT EXISTS "b" numeric,
    ADD COLUMN IF NOT EXISTS "c" text,
    ADD COLUMN IF NOT EXISTS "e" text,
    ADD COLUMN IF NOT EXISTS "f" jsonb,
    ADD COLUMN IF NOT EXISTS "g" jsonb,
    ADD COLUMN IF NOT EXISTS "h" timestamptz,
    ADD COLUMN IF NOT EXISTS "i" numeric,
    ALTER COLUMN "id" TYPE numeric;
