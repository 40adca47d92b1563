/** What BuildKit writes as the comment of each step in an image's history, by which its images are told from others. */
export const buildkitComment = "buildkit.dockerfile.v0";
