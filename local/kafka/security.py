"""A broker that asks who somebody is and keeps to access rules, as the brokers of production do.

Clients name themselves with a password (SASL/PLAIN; the listener is on the loopback address, so nothing travels). One
user, ``admin``, may do everything; everybody else has what rules give (``sor topics apply --acls``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from transport.clients import Cluster

ADMIN: Final = "admin"
_LOGIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule required"


def properties(passwords: Mapping[str, str]) -> dict[str, str]:
    """Properties of a node, for its listeners CLIENT and CONTROLLER. They hold the passwords: a file for one reader.

    ``passwords``: user -> password, letters, digits, hyphens and underscores; ``KeyError`` without ``admin``.
    """
    users = " ".join(f'user_{name}="{password}"' for name, password in passwords.items())
    login = f'{_LOGIN} username="{ADMIN}" password="{passwords[ADMIN]}" {users};'
    return {
        "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.client.plain.sasl.jaas.config": login,
        "listener.name.controller.plain.sasl.jaas.config": login,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{ADMIN}",
    }


def cluster(bootstrap: str, user: str, password: str) -> Cluster:
    """The cluster as one user sees it."""
    return Cluster(
        bootstrap,
        {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanisms": "PLAIN",
            "sasl.username": user,
            "sasl.password": password,
        },
    )
