/**
 * What `--check` looks for: names, descriptions and sentences as BuildKit's Dockerfile front end words them
 * (https://docs.docker.com/reference/build-checks/).
 */
interface Rule {
  description: string;
  /** last part of the rule's page */
  page: string | undefined;
  /** only where the check directive asks for it */
  experimental?: boolean;
  sentence(...details: string[]): string;
}

const quote = (text: string | undefined): string => JSON.stringify(text ?? "");
const didYouMean = (near: string | undefined, mark = ""): string =>
  near === undefined || near === "" ? "" : ` (did you mean ${mark}${near}?)`;

const rules = {
  StageNameCasing: {
    description: "Stage names should be lowercase",
    page: "stage-name-casing",
    sentence: (stage) => `Stage name '${stage}' should be lowercase`,
  },
  FromAsCasing: {
    description: "The 'as' keyword should match the case of the 'from' keyword",
    page: "from-as-casing",
    sentence: (from, as) => `'${as}' and '${from}' keywords' casing do not match`,
  },
  NoEmptyContinuation: {
    description: "Empty continuation lines will become errors in a future release",
    page: "no-empty-continuation",
    sentence: () => "Empty continuation line",
  },
  ConsistentInstructionCasing: {
    description: "All commands within the Dockerfile should use the same casing (either upper or lower)",
    page: "consistent-instruction-casing",
    sentence: (name, casing) => `Command '${name}' should match the case of the command majority (${casing})`,
  },
  DuplicateStageName: {
    description: "Stage names should be unique",
    page: "duplicate-stage-name",
    sentence: (stage) => `Duplicate stage name ${quote(stage)}, stage names should be unique`,
  },
  ReservedStageName: {
    description: "Reserved words should not be used as stage names",
    page: "reserved-stage-name",
    sentence: (stage) => `Stage name should not use the same name as reserved stage ${quote(stage)}`,
  },
  JSONArgsRecommended: {
    description:
      "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals",
    page: "json-args-recommended",
    sentence: (name) =>
      `JSON arguments recommended for ${name} to prevent unintended behavior related to OS signals`,
  },
  MaintainerDeprecated: {
    description: "The MAINTAINER instruction is deprecated, use a label instead to define an image author",
    page: "maintainer-deprecated",
    sentence: () => "Maintainer instruction is deprecated in favor of using label",
  },
  UndefinedArgInFrom: {
    description: "FROM command must use declared ARGs",
    page: "undefined-arg-in-from",
    sentence: (name, near) => `FROM argument '${name}' is not declared${didYouMean(near)}`,
  },
  WorkdirRelativePath: {
    description:
      "Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes",
    page: "workdir-relative-path",
    sentence: (path) =>
      `Relative workdir ${quote(path)} can have unexpected results if the base image changes`,
  },
  UndefinedVar: {
    description: "Variables should be defined before their use",
    page: "undefined-var",
    sentence: (name, near) => `Usage of undefined variable '$${name}'${didYouMean(near, "$")}`,
  },
  MultipleInstructionsDisallowed: {
    description: "Multiple instructions of the same type should not be used in the same stage",
    page: "multiple-instructions-disallowed",
    sentence: (name) =>
      `Multiple ${name} instructions should not be used in the same stage because only the last one will be used`,
  },
  LegacyKeyValueFormat: {
    description: "Legacy key/value format with whitespace separator should not be used",
    page: "legacy-key-value-format",
    sentence: (name) => `"${name} key=value" should be used instead of legacy "${name} key value" format`,
  },
  InvalidBaseImagePlatform: {
    description: "Base image platform does not match expected target platform",
    page: undefined,
    sentence: (image, expected, actual) =>
      `Base image ${image} was pulled with platform ${quote(actual)}, expected ${quote(expected)} for current build`,
  },
  RedundantTargetPlatform: {
    description:
      "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
    page: "redundant-target-platform",
    sentence: (variable) =>
      `Setting platform to predefined ${variable} in FROM is redundant as this is the default behavior`,
  },
  SecretsUsedInArgOrEnv: {
    description: "Sensitive data should not be used in the ARG or ENV commands",
    page: "secrets-used-in-arg-or-env",
    sentence: (instruction, key) =>
      `Do not use ARG or ENV instructions for sensitive data (${instruction} ${quote(key)})`,
  },
  InvalidDefaultArgInFrom: {
    description: "Default value for global ARG results in an empty or invalid base image name",
    page: "invalid-default-arg-in-from",
    sentence: (base) => `Default value for ARG ${base} results in empty or invalid base image name`,
  },
  FromPlatformFlagConstDisallowed: {
    description: "FROM --platform flag should not use a constant value",
    page: "from-platform-flag-const-disallowed",
    sentence: (platform) => `FROM --platform flag should not use constant value ${quote(platform)}`,
  },
  CopyIgnoredFile: {
    description: "Attempting to Copy file that is excluded by .dockerignore",
    page: "copy-ignored-file",
    experimental: true,
    sentence: (name, file) => `Attempting to ${name} file ${quote(file)} that is excluded by .dockerignore`,
  },
  InvalidDefinitionDescription: {
    description:
      "Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.",
    page: "invalid-definition-description",
    experimental: true,
    sentence: (instruction, name) =>
      `Comment for ${instruction} should follow the format: \`# ${name} <description>\``,
  },
  ExposeProtoCasing: {
    description: "Protocol in EXPOSE instruction should be lowercase",
    page: "expose-proto-casing",
    sentence: (port) => `Defined protocol '${port}' in EXPOSE instruction should be lowercase`,
  },
  ExposeInvalidFormat: {
    description:
      "IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release",
    page: "expose-invalid-format",
    sentence: (port) =>
      `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`,
  },
} satisfies Record<string, Rule>;

export type RuleName = keyof typeof rules;

export const ruleOf = (name: RuleName): Rule => rules[name];

export const ruleUrl = ({ page }: Rule): string =>
  page === undefined ? "" : `https://docs.docker.com/go/dockerfile/rule/${page}/`;
