import type { State } from "../../state/database.ts";
import type { Descriptor } from "../../types/oci.ts";

export interface KnownBlob {
  descriptor: Descriptor;
  /** how it was packed here; "" = by somebody else, or by an engine that did not say */
  madeAs: string;
  /** canonical names of repositories that are known to have it */
  repositories: string[];
}

export interface KnownManifest {
  digest: string;
  mediaType: string;
  content: string;
}

/** What is known of images' other life in registries: the tables `layer_blobs`, `layer_blob_sources`, `image_manifests`. */
export class RemoteRecords {
  private readonly state: State;

  constructor(state: State) {
    this.state = state;
  }

  /**
   * A layer as a registry has it, and where; undefined = as another place has it. Its media type, by which later pushes
   * name it, is the one told last. `madeAs`: how it was packed here (`compressionName`); "" = by somebody else.
   */
  addBlob(
    diffId: string,
    { digest, size, mediaType }: Descriptor,
    repository: string | undefined,
    madeAs = "",
  ): void {
    this.state.transaction(() => {
      this.state.db
        .query(
          `INSERT INTO layer_blobs (diff_id, digest, size, media_type, made_as) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (diff_id, digest) DO UPDATE SET media_type = excluded.media_type,
           made_as = CASE excluded.made_as WHEN '' THEN made_as ELSE excluded.made_as END`,
        )
        .run(diffId, digest, size, mediaType, madeAs);
      if (repository === undefined) return;
      this.state.db
        .query("INSERT OR IGNORE INTO layer_blob_sources (diff_id, digest, repository) VALUES (?, ?, ?)")
        .run(diffId, digest, repository);
    });
  }

  /** A repository had it once, and has not any more. */
  forgetSource(diffId: string, digest: string, repository: string): void {
    this.state.db
      .query("DELETE FROM layer_blob_sources WHERE diff_id = ? AND digest = ? AND repository = ?")
      .run(diffId, digest, repository);
  }

  blobs(diffId: string): KnownBlob[] {
    const rows = this.state.db
      .query<{ digest: string; size: number; media_type: string; made_as: string }, [string]>(
        "SELECT digest, size, media_type, made_as FROM layer_blobs WHERE diff_id = ? ORDER BY rowid",
      )
      .all(diffId);
    const sources = this.state.db.query<{ repository: string }, [string, string]>(
      "SELECT repository FROM layer_blob_sources WHERE diff_id = ? AND digest = ? ORDER BY rowid DESC",
    );
    return rows.map(({ digest, size, media_type, made_as }) => ({
      descriptor: { mediaType: media_type, digest, size },
      madeAs: made_as,
      repositories: sources.all(diffId, digest).map(({ repository }) => repository),
    }));
  }

  /** The newest is the last of `manifests`. */
  addManifest(imageId: string, { digest, mediaType, content }: KnownManifest): void {
    this.state.db
      .query(
        "INSERT OR REPLACE INTO image_manifests (image_id, digest, media_type, content) VALUES (?, ?, ?, ?)",
      )
      .run(imageId, digest, mediaType, content);
  }

  manifests(imageId: string): KnownManifest[] {
    return this.state.db
      .query<{ digest: string; media_type: string; content: string }, [string]>(
        "SELECT digest, media_type, content FROM image_manifests WHERE image_id = ? ORDER BY rowid",
      )
      .all(imageId)
      .map(({ digest, media_type, content }) => ({ digest, mediaType: media_type, content }));
  }
}
