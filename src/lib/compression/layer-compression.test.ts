import { expect, test } from "bun:test";
import { layerForm } from "./layer-compression.ts";

test("what is not said is left open", () => {
  expect(layerForm({ name: "app", push: "true" })).toEqual({
    compression: undefined,
    force: false,
    oci: undefined,
  });
});

test("types and levels are BuildKit's, clamped where it clamps them", () => {
  const of = (type: string, level?: string) =>
    layerForm({ compression: type, ...(level === undefined ? {} : { "compression-level": level }) })
      .compression;
  expect(of("zstd")).toEqual({ type: "zstd", level: 3 });
  expect(of("zstd", "19")).toEqual({ type: "zstd", level: 19 });
  expect(of("zstd", "0")).toEqual({ type: "zstd", level: 1 });
  expect(of("zstd", "-5")).toEqual({ type: "zstd", level: 3 });
  expect(of("zstd", "99")).toEqual({ type: "zstd", level: 22 });
  expect(of("gzip")).toEqual({ type: "gzip", level: 2 });
  expect(of("gzip", "9")).toEqual({ type: "gzip", level: 9 });
  expect(of("gzip", "0")).toEqual({ type: "gzip", level: 0 });
  expect(of("uncompressed", "7")).toEqual({ type: "uncompressed", level: 0 });
  expect(layerForm({ "compression-level": "6" }).compression).toEqual({ type: "gzip", level: 6 });
  expect(layerForm({ "force-compression": "" })).toEqual({
    compression: { type: "gzip", level: 2 },
    force: true,
    oci: undefined,
  });
  expect(layerForm({ "oci-mediatypes": "" }).oci).toBe(true);
  expect(layerForm({ "oci-mediatypes": "0" })).toEqual({
    compression: { type: "gzip", level: 2 },
    force: false,
    oci: false,
  });
});

test("what cannot be is refused by name", () => {
  const refused: [Record<string, string>, string][] = [
    [{ compression: "estargz" }, "layers compressed as estargz are not built in berth"],
    [{ compression: "lz4" }, "unsupported layer compression type lz4"],
    [{ "compression-level": "best" }, "non-integer value best specified for compression-level"],
    [{ compression: "gzip", "compression-level": "10" }, "gzip: invalid compression level: 10"],
    [{ "force-compression": "yes" }, "non-bool value yes specified for force-compression"],
    [{ "oci-mediatypes": "maybe" }, "non-bool value maybe specified for oci-mediatypes"],
  ];
  for (const [attributes, sentence] of refused) expect(() => layerForm(attributes)).toThrow(sentence);
});
