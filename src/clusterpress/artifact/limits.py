"""How much memory a file may claim: by its own size, or by the network that it is for.

Symbols can take next to no bytes: a mask that keeps everything takes one. So a file's claim of
elements is worth nothing by itself, and is held against something real before memory is taken.
"""

# Elements that any file may claim: a network of the caller's holds as many already.
MAX_ELEMENTS = 1 << 29
# Elements that a file may claim where there is no network to hold it against.
MAX_ELEMENTS_ALONE = 1 << 28
# What even the smallest file may claim: ten LeNets, a few tens of MiB.
FREE_ELEMENTS = 1 << 22
# What each byte of a file adds: an eighth of a bit for each weight.
ELEMENTS_PER_BYTE = 64
# Symbols of a stream whose alphabet is not the size of a codebook, which has bytes of its own.
MAX_ALPHABET = 1 << 16
# Symbols decoded or counted at a time, so that 64-bit temporaries stay small.
CHUNK = 1 << 20


def check_alone(elements: int, file_bytes: int, what: str) -> None:
    """Check a number of elements where the file's size is all there is to hold it against.

    Args:
        elements: Elements of all tensors together.
        file_bytes: Size of the whole file.
        what: What has so many, for the message.

    Raises:
        ValueError: They are more than a file of this size may claim.
    """
    most = min(MAX_ELEMENTS_ALONE, FREE_ELEMENTS + ELEMENTS_PER_BYTE * file_bytes)
    if elements > most:
        raise ValueError(
            f"{what} has {elements} elements, at most {most} are allowed for a file of "
            f"{file_bytes} bytes without a network to load it into"
        )
