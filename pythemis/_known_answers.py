# SPDX-License-Identifier: Apache-2.0
"""What real Themis wrote, for the self-test.

These are cases of the project's tests/vectors; a test compares the two. The keys are public and
protect nothing. The RSA key is here because generating one can take longer than the rest of the
self-test.
"""

from __future__ import annotations

from base64 import b64decode
from typing import NamedTuple


class Cell(NamedTuple):
    """A Secure Cell and what is in it."""

    key: bytes
    context: bytes
    encrypted: bytes
    message: bytes
    token: bytes = b""


class Keys(NamedTuple):
    """A pair of keys, and messages of another pair's owner."""

    private_key: bytes
    public_key: bytes
    peer_public_key: bytes
    signed_by_peer: bytes
    signed_message: bytes
    encrypted_by_peer: bytes
    encrypted_message: bytes


# cell_seal.json, seal-good
SEAL = Cell(
    key=b64decode("FB/8QVKSA7cE2Iycbrse14/iV+hJEvIEH4xXD7gDzm0="),
    context=b64decode("Y29udGV4dA=="),
    encrypted=b64decode(
        "AAEBQAwAAAAQAAAAKAAAANFF2X4ggincp8ohTEkv4gZv4dU9heFSzZOavFbiLrF2PV77DKyENceqTfMxfOKdKIbk"
        "bWIpVbMlhm1xI+Z2NCK0Nqvf"
    ),
    message=b64decode("v7vBwnE2/WW7sMsw6T31Isd1zkhU0vzHxkfkTDDns8YQKH/tFisfQg=="),
)
# cell_passphrase.json, pw-iter1000
PASSPHRASE = Cell(
    key=b64decode("cMOkc3NwaHJhc2Ug0L/QsNGA0L7Qu9GM"),
    context=b"",
    encrypted=b64decode(
        "AAEBQQwAAAAQAAAAIQAAABYAAABQIl10nOf260j9Zm/tUZQgTnBin5YvfdF/qUev6AMAABAAK3ib3mUQonX2TTer"
        "97IOnV5gXmtDhefnQOlLHSiMUZqgqs80yVKpZ6AqdtSWA4CAmA=="
    ),
    message=b64decode("FSS9RmjEtDsU8RBRN2y2P37+De+vu3IIgPCmqh6b/P4A"),
)
# cell_token_protect.json, token-02
TOKEN_PROTECT = Cell(
    key=b64decode("Y/zjRKJAgoDAvxB5WZ1lHocSwlCSk5Sa+XMGPQbLGy8="),
    context=b64decode("mcJeyzuQVkafLyOd8BVs7y342uI="),
    encrypted=b64decode("VX4ajjyZzym/krxIhBv3"),
    message=b64decode("t8AZR+jVax4OyyZvqaeD"),
    token=b64decode("AAEBQAwAAAAQAAAADwAAAEnng4afLpnzPSbmLjzBqrwY/SVDviF/Q0RI60k="),
)
# cell_context_imprint.json, imprint-02
CONTEXT_IMPRINT = Cell(
    key=b64decode(
        "mA9/KVsw3nFK16aVQdComf/ecxtQ9BKANV+ZDF9+JQKQytr0OrACOxVEprlXqR4xP7jPmU9jZ+bLCw/Xv2tz1jw="
    ),
    context=b64decode("tQ=="),
    encrypted=b64decode("yYbHMK1jDJX6naoShtti"),
    message=b64decode("wLsRZjKZRjBEUSJ3/m9W"),
)
# key_pairs.json, p256_b and p256; message_signed.json, p256-1;
# message_encrypted.json, p256-p256_b-1
EC = Keys(
    private_key=b64decode("UkVDMgAAAC3oI0eNACznsB7tjnmDBcfB43qLrlx7k2PuPZcJAvsIYvNFMXUx"),
    public_key=b64decode("VUVDMgAAAC2KArhiAhEmTpCEpHwgaPnZrvt5dgoP88ERbmPMF1a13HDjHmip"),
    peer_public_key=b64decode("VUVDMgAAAC3QDNHzA1LvY7dXEeaAIqExCoY12wso99xNpWWvaICsGhEubIgz"),
    signed_by_peer=b64decode(
        "ICYEJgEAAABGAAAAoTBEAiBPdHt6xTpiMQ3S0DuAXE6zCdk3f440iVO6ehFEeG/AdwIgY0MSHox4yR8ZvdUxXAG4"
        "esSdb61ueHGftl7k5klwdcw="
    ),
    signed_message=b64decode("oQ=="),
    encrypted_by_peer=b64decode(
        "ICcEJjUAAAAAAQFADAAAABAAAAABAAAAX4hRvuDzHxVDWBtpTZvZbkeypC2MZgUsjN02THY="
    ),
    encrypted_message=b64decode("xw=="),
)
# The same with rsa2048_b and rsa2048.
RSA = Keys(
    private_key=b64decode(
        "UlJBMgAABJCsZ9NvQARlzSxXPFlWvZJoO2j6DgfY7ixLa3p2aPF1abr31CmaoGDPBXnjaRWvAnOC1K3oVd1yxldg"
        "o9FxRo5bsHUimhC7vCOH2rNr9Cpq2pi1xczKwnMr2uQ4zl/ZkZHqufaXSoKCpm4j4dKukTFJCiMF00XLgqRPYlrm"
        "YTvFj/BnBByBUwrTZvc3fp9GXOSyJ8KUXDLR5Q3SA4/dxV1YbnHybnoaSKGPvI938E9UbwaW8jvqHg0KGN9JGxGR"
        "z/G8It9ACEk3n9QlFRWeLexqpWlNtciNa/50yY9cGG4pTGruROc+Nf23L4pA9b39ddiRUpfrUPgGUzLCYd4JwgLK"
        "Q5MlSeOmDUyWPeFrZWD6Xx3DUivTaDMt1UDR7rfAheAAEmcdcCHXCwLTYBtIaOMW5jaVE/nZvpo7xZDMTTHbz5Bx"
        "k/PQ7/LbfK07yvhX+h3CMABMgEvJEOqmtMERD3WtgAO9pjwBF7Ubgqx4xbD/zPueGqKRd1U2UgS86CZ+tbdYdJSn"
        "0QeA7f/YkHrhB3eIF7G+wa41ORL8U8XizSYq+en20RqM5dxRVvgMPEQtbFPAZmKJ1/Qnusn7dvT5gxHKy59bK0zB"
        "97XusBJ3kPyEoNh8OimEBY4lEqtRr8BF2du01qBg+uSfYx1DHDH50ZgEj9BR5fePPsgwOf5hjA5CPM8nkOVWMK+G"
        "WLfzGgNXNVQ/44y/9RnVjrvX/+PfBHBrf/t3uQiUd2O+3SLdEYxMtoXREp5ukYd9w7WofgGYJ/4tVSNMQ8Ylb/6D"
        "ZEkTv9N94uDjrBNDHkxeW2HCW2A8EMWQJQTEYTGFq3XNMSjAPAlzFshE1siUpa1mB9Pphz3rvfzdry+ed/7ANEPl"
        "2nHrBzPuqDhTSYixDI7BHAQEV/ILHNFSLRsIb/dSFud72KU/ByvL8v8hfhONhB37fQQg/4QXz5szp1SZO8Ec0+RR"
        "wp0p9FMDtjHVyhhQsxFIyiDxbmcerjk58B2SQwGfWPwol5FzsdSj6xwwWtw7WVmgvfJAdxEJeGWC2cc+2T+a3fPG"
        "jSGQ88GHDERHvBIX6IVM67hqyJQspQC4djaIwbKZuVA37rmGNkXYiY1U/bSWtbFvTiUK0uUrrV3ZFH3gRcotukt3"
        "EXiNSAyf4hma1Wf2IRIdKNbeHQDhg0896GKDHOww8joV7XMkK7pRy5FfZ4bOMQXK06S54T0MjqQ3lQ6yvXRPXLzD"
        "yMaB+Gs/TF1FD1O6i8YOJftfTOFp9LDVJqp4uuKXppdeGh3TuPzTkwng/KJbxBqH+56meCgtCsss+aYRzU41cylb"
        "CpXle7nvm1+MttYRO2mG6SLo82FB0u5uCc1XErmmJPvXqnWCsmr02kBlgqjAf1iNnkV+sjiTRZGJ8ucoSgk5PmaX"
        "lObN2a2E+DZze4XTTN/9Q2zcpIZGkJRhQorf8bV4vAoedhIjDUIbkSDPp2qaXnMXkd6Yen1NZtp7GJo47pDuF4uP"
        "ekuReCxB8oWBMbPsNp1VkERFnGuZ2Vx3S8+I6ohfBMlcR+PMUd1iV+ljAAEAAQ=="
    ),
    public_key=b64decode(
        "VVJBMgAAARAxA6ZtueE9DI6kN5UOsr10T1y8w8jGgfhrP0xdRQ9TuovGDiX7X0zhafSw1SaqeLril6aXXhod07j8"
        "05MJ4PyiW8Qah/uepngoLQrLLPmmEc1ONXMpWwqV5Xu575tfjLbWETtphuki6PNhQdLubgnNVxK5piT716p1grJq"
        "9NpAZYKowH9YjZ5FfrI4k0WRifLnKEoJOT5ml5TmzdmthPg2c3uF00zf/UNs3KSGRpCUYUKK3/G1eLwKHnYSIw1C"
        "G5Egz6dqml5zF5HemHp9TWbaexiaOO6Q7heLj3pLkXgsQfKFgTGz7DadVZBERZxrmdlcd0vPiOqIXwTJXEfjzFHd"
        "YlfpYwABAAE="
    ),
    peer_public_key=b64decode(
        "VVJBMgAAARBHyiQlsuUUjA3GeDne4Tr9X/nsd6dUZGN4Dk1KvirmiFR2BY60h8/dNSVwj+GoCHaozkHGqZVMboY1"
        "oERNJylYFPXbqzwZPtTX+EOofjRhcakxPutiBu02Huy6lUDu2+9/GejED6N9oqo71Cn7o8gYTthgSPz1PyGZBT7r"
        "C3Fx9XIAuozRx7d7UoPV5q4hrGuU7qdr1KEy+Cblo0k0O8kFuE5rkr7nyJejCKwI2rO9dSpFguwH4QYItGvNXxlj"
        "VWbfTIwBXWUQKiu0b1ulrAz4pDh9/ryLqW3zNYbjSnssmqvJiY2EqT4DFnBj3smMQEHCWD+SQZPGnAga4kSOzOz2"
        "kdSt5QABAAE="
    ),
    signed_by_peer=b64decode(
        "ECYEJgEAAAAAAQAAXH8bhkhBxRY5ZDDKBnWn5GcwYKnMMA9eM6Ogyhxn3EYUATFrNU20BE7UsUQyM+VbbOrKkX+k"
        "Zc6itG7FRts67YtIhk10W832qOVugb7POJrBk77i+8yPlj6DVggU5t2ad3SLoiepOhDrf9Mu1C8qneC+S2RFFAx4"
        "ll9XsVLw32ddeLu7gh31majTjOSa7AT1DR/VI8FJTW301+9ni9G5sstuvp4Ogj4AA0329XVctwkoQKQa/tBPbdAN"
        "z9S+IH2SsRZyrQeHq/eO7Y5u6HkwbsGEK7PdqjZpM0FARxZc4cxlfGd+VLYBcWXj8Re8qTNxeML4EvE8OmNa1NTT"
        "pv9xAAE="
    ),
    signed_message=b64decode("XA=="),
    encrypted_by_peer=b64decode(
        "ECcEJjkBAAAAAQAASpER9PmOMH6l/Sf8LCr/8dZdEBS6nJdmlJSRAaSd+Gg1yKZ6L/Br10GCc9AMaefSQVb8Ql+/"
        "m+pYrfWSbzvyZHmyZbkknZGolAdChnO9MByK+LqMYMLj6awARhK4G6VNhAw4VrLlK2lmBPCyCDL7QOGuHH5Gnb8B"
        "dgNCnZmY91JE9LCuvMwOmUv9hr9ZfKzawdMV6iX0u9bZNtCaiWMhdBGw9Y2nPCbyrg/H9VFPiuu2LQ8V8ahbltjh"
        "CR4KyAojcoyLOnteiOR8SfZx0lj3WvRaSWNJ5hxRPSwsg1+A8LGObl/0o+cF7E/DjLo+fSLxroRnrQEXfxVWCJ3X"
        "C1EF5QABAUAMAAAAEAAAAAEAAABo5Snx3gNgMIVysHL5fnwhH6lMdPUwujqgGTH7Jg=="
    ),
    encrypted_message=b64decode("mQ=="),
)
