import type { ImageConfig } from "../../types/oci.ts";

/** Something the build was made from. */
export interface Material {
  uri: string;
  digest: Record<string, string>;
}

/** A predicate by itself: what is said, and in which vocabulary. */
export interface Predicate {
  predicateType: string;
  predicate: object;
  /** of the file that local outputs get */
  file: string;
}

/** A target's result on one platform. */
export interface PlatformResult {
  platform: string;
  config: ImageConfig;
  layers: readonly string[];
  /** those of them that were there before: the layers of the image it begins with */
  base: readonly string[];
  /** of a classic build: it is there already, and wants its names */
  imageId?: string;
  /** of the cached steps that made its own layers */
  keys: readonly string[];
  /** base images */
  materials: readonly Material[];
  /** what is attested of it; none before the export */
  predicates?: readonly Predicate[];
}
