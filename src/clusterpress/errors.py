"""The errors that clusterpress raises on purpose, each a sentence that a user can act on."""


class ClusterpressError(Exception):
    """Base of every error that clusterpress raises on purpose."""


class ConfigError(ClusterpressError):
    """A setting is unknown, has the wrong type, or is outside its range."""


class DataError(ClusterpressError):
    """A data set is missing, unreadable or damaged, or values are not finite."""


class ArtifactError(ClusterpressError):
    """An artifact or a stage's checkpoint is damaged, hostile or of an unknown version."""


class StoreError(ClusterpressError):
    """The store's folder cannot be written or read."""


def told(error: Exception) -> str:
    """Give an error's kind, and its message where it has one (a bare assert has none)."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")
