"""Times in words."""


def duration(seconds: float) -> str:
    """Say a time in the units that people plan in."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return f"about {minutes} min"
    return f"about {minutes // 60} h {minutes % 60:02d} min"
