"""Users and their rights on a broker, made through the Kafka API: the same for the embedded broker and for Redpanda."""

from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from indutech.kafka import credentials
from indutech.kafka.connection import Broker
from indutech.kafka.credentials import rights_of
from indutech.kafka.readiness import ANSWERS_WITHIN_S, asking
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

ITERATIONS = 4096  # Kafka's own default, and the least that RFC 7677 asks for


class UsersRefused(InduTechError):
    """The broker does not let us make users or give rights."""


def prepare(broker: Broker, settings: Settings) -> list[str]:
    """Make our users with the passwords of the secrets folder, give each its rights, and return their names.

    Doing it again gives the passwords that the folder has now, and takes away what else they may do with these
    resources; rights on other topics stay.

    Raises:
        UsersRefused: with the broker's reason.
    """
    rights = rights_of(settings.topic)
    missing = [user for user in rights if not credentials.password_file(settings, user).exists()]
    if missing:
        raise UsersRefused(
            f"There is no password for {', '.join(missing)} in {settings.secrets_dir}: run `indutech broker secrets`."
        )
    changes = [_with_password(settings, user) for user in rights]
    bindings = [binding for user in rights for binding in _bindings(user, settings)]
    try:
        with asking(broker) as admin:
            made = admin.alter_user_scram_credentials(changes, request_timeout=ANSWERS_WITHIN_S)
            given = admin.create_acls(bindings, request_timeout=ANSWERS_WITHIN_S)
            for answer in (*made.values(), *given.values()):
                answer.result()
            if surplus := [one for user in rights for one in _surplus(admin, user, bindings)]:
                for answer in admin.delete_acls(surplus, request_timeout=ANSWERS_WITHIN_S).values():
                    answer.result()
    except KafkaException as error:
        raise UsersRefused(
            f"The broker at {broker.bootstrap_servers} does not let {broker.security.username or 'us'} make users "
            f"and give rights ({error.args[0].str()}): do it as its administrator."
        ) from error
    return list(rights)


def _surplus(admin: Any, user: str, bindings: list[AclBinding]) -> list[AclBindingFilter]:
    """Return what a user may do with the resources of these bindings beyond them."""
    everything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, f"User:{user}", None, AclOperation.ANY, AclPermissionType.ANY
    )
    ours = {(one.restype, one.name) for one in bindings}
    return [
        AclBindingFilter(
            one.restype,
            one.name,
            one.resource_pattern_type,
            one.principal,
            one.host,
            one.operation,
            one.permission_type,
        )
        for one in admin.describe_acls(everything, request_timeout=ANSWERS_WITHIN_S).result()
        if (one.restype, one.name) in ours and one not in bindings
    ]


def _with_password(settings: Settings, user: str) -> UserScramCredentialUpsertion:
    password = credentials.security_of(settings, user).password
    mechanism = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, ITERATIONS)
    return UserScramCredentialUpsertion(user, mechanism, password.get_secret_value().encode() if password else b"")


def _bindings(user: str, settings: Settings) -> list[AclBinding]:
    return [
        AclBinding(
            ResourceType[right.resource],
            right.name,
            ResourcePatternType.LITERAL,
            f"User:{user}",
            "*",  # from any address
            AclOperation[operation],
            AclPermissionType.ALLOW,
        )
        for right in rights_of(settings.topic)[user]
        for operation in right.operations
    ]
