"""Which right each route asks for: a line for every route, read by the door before the route is entered.

`OPEN`: it answers everyone, each with what they may see. `OWN`: it is about whoever is signed in. Of several rights one
will do. A right to edit some layers opens a route for editing; the layer itself is asked for there. A test walks all of
them as every role, and fails for a route that has no line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from layers.errors import Conflict
from layers.people.access import ANYONE, Actor, Decision, has, rights

OPEN: Final = "open"
OWN: Final = "own"
_PEOPLE: Final = ("account.edit", "role.edit", "audit.read")
_PERSONNEL: Final = ("account.edit", "role.edit")

NEEDED: Final[Mapping[str, str | tuple[str, ...]]] = MappingProxyType(
    {
        "GET /healthz": OPEN,
        "GET /readyz": OPEN,
        "GET /metrics": OPEN,
        "GET /client/chengtu.py": OPEN,
        "GET /layers": OPEN,
        "GET /layers/{name}": OPEN,
        "GET /layers/{name}/densities": OPEN,
        "GET /layers/{name}/facets": OPEN,
        "GET /tiles/{names}.json": OPEN,
        "GET /tiles/{names}/{z}/{x}/{y}.mvt": OPEN,
        "GET /styles/{palette}.json": OPEN,
        "GET /topics": OPEN,
        "GET /indicators": OPEN,
        "GET /indicators/{name}": OPEN,
        "GET /indicators/{name}/history": OPEN,
        "GET /indicators.{format}": OPEN,
        "GET /search": OPEN,
        "GET /geocode": OPEN,
        "GET /reverse": OPEN,
        "GET /nearby": OPEN,
        "GET /items/{name}/{id}": OPEN,
        "GET /items/{name}/{id}/history": OPEN,
        "POST /items/{name}": "layer.edit",
        "PATCH /items/{name}/{id}": "layer.edit",
        "DELETE /items/{name}/{id}": "layer.edit",
        "POST /items/{name}/{id}/restore": "layer.edit",
        "POST /query": OPEN,
        "POST /query/plan": OPEN,
        "GET /query/results/{id}": OPEN,
        "GET /query/results/{id}.{format}": OPEN,
        "GET /query/results/{id}/summary": OPEN,
        "GET /rasters": OPEN,
        "GET /rasters/{name}/point": OPEN,
        "GET /rasters/{name}/{z}/{x}/{y}.{kind}": OPEN,
        "GET /questions": OPEN,
        "POST /questions": "question.keep",
        "GET /questions/{id}": OPEN,
        "DELETE /questions/{id}": "question.keep",
        "POST /questions/{id}/runs": "question.keep",
        "GET /questions/{id}/runs": OPEN,
        "GET /questions/{id}/runs/{number}": OPEN,
        "GET /ogc": OPEN,
        "GET /ogc/conformance": OPEN,
        "GET /ogc/api": OPEN,
        "GET /ogc/collections": OPEN,
        "GET /ogc/collections/{id}": OPEN,
        "GET /ogc/collections/{id}/queryables": OPEN,
        "GET /ogc/collections/{id}/schema": OPEN,
        "GET /ogc/collections/{id}/items": OPEN,
        "GET /ogc/collections/{id}/items/{feature_id}": OPEN,
        "GET /ogc/collections/{id}/tiles": OPEN,
        "GET /ogc/collections/{id}/tiles/WebMercatorQuad": OPEN,
        "GET /ogc/tileMatrixSets": OPEN,
        "GET /ogc/tileMatrixSets/WebMercatorQuad": OPEN,
        "GET /archives": OPEN,
        "GET /archives/{name}.pmtiles": OPEN,
        "GET /archives/{name}.{version}.pmtiles": OPEN,
        "GET /basemap": OPEN,
        "GET /basemap/{z}/{x}/{y}": OPEN,
        "POST /print": OPEN,
        "GET /sight": OPEN,
        "GET /video": OPEN,
        "GET /demo/pictures/{id}.svg": OPEN,
        "GET /departments": OPEN,
        "GET /limits/due": OPEN,
        "GET /incidents": ("incident.view", "incident.report"),  # whoever reports sees what they reported
        "GET /incidents/rules": OPEN,
        "GET /incidents/export.{format}": "incident.view",
        "POST /incidents/import": ("incident.report", "incident.dispose"),
        "POST /incidents": OPEN,  # residents report without an account where the city lets them
        "POST /incidents/duplicates": "incident.view",
        "POST /incidents/steps": "incident.view",
        "GET /incidents/{id}": ("incident.view", "incident.report"),
        # With the ticket of a report.
        "GET /incidents/{id}/receipt": OPEN,
        "GET /incidents/{id}/receipt/photos/{photo}": OPEN,
        "DELETE /incidents/{id}/receipt": OPEN,
        "GET /incidents/{id}/assignees": ("incident.dispatch", "incident.dispose"),
        "POST /incidents/{id}/steps": ("incident.view", "incident.report"),
        "POST /incidents/{id}/photos": OPEN,  # with the ticket of a report
        "GET /photos/{id}": ("incident.view", "incident.report"),
        "GET /public-reports": OPEN,
        "POST /public-reports/matters": OPEN,  # residents, where the city lets them; others need to report
        "GET /join": OPEN,
        "GET /join.svg": OPEN,
        "GET /callers/purposes": "person.unmask",
        "POST /callers/{id}/unmask": "person.unmask",
        "GET /duties": OPEN,
        "GET /duties/decide": OPEN,
        "GET /duties.csv": OPEN,
        "PUT /duties.csv": "duty.edit",
        "POST /duties": "duty.edit",
        "PUT /duties/{id}": "duty.edit",
        "DELETE /duties/{id}": "duty.edit",
        "GET /hotline/lines": OPEN,
        "POST /hotline/intake/draft": "hotline.take",
        "POST /hotline/corrections": "hotline.take",
        "GET /hotline/classifier": "hotline.take",
        "GET /hotline/answers": OPEN,
        "GET /hotline/answers/list": "hotline.take",
        "POST /hotline/answers": "hotline.take",
        "GET /hotline/answers/{id}": OPEN,
        "PUT /hotline/answers/{id}": "hotline.take",
        "DELETE /hotline/answers/{id}": "hotline.take",
        "POST /incidents/{id}/callers/{caller}/callback": ("hotline.take", "incident.dispose"),
        "GET /hotline/callbacks": "hotline.take",
        "GET /loop/indicators": "incident.view",
        "GET /hotline/rates": "incident.view",
        "GET /hotline/bulletin": "incident.view",
        # The key may stand in the query or the form, so the route itself asks for the right.
        "GET /open311/v2/services.{form}": OPEN,
        "GET /open311/v2/services/{code}.{form}": OPEN,
        "POST /open311/v2/requests.{form}": OPEN,
        "GET /open311/v2/requests.{form}": OPEN,
        "GET /open311/v2/requests/{id}.{form}": OPEN,
        "GET /open311/v2/request/{id}.{form}": OPEN,
        "GET /open311/v2/tokens/{token}.{form}": OPEN,
        "GET /notices": OWN,
        "POST /notices/read": OWN,
        "POST /channels": "channel.edit",
        "GET /channels": "channel.edit",
        "PUT /channels/{id}": "channel.edit",
        "PUT /channels/{id}/pause": "channel.edit",
        "DELETE /channels/{id}/pause": "channel.edit",
        "DELETE /channels/{id}": "channel.edit",
        "GET /channels/{id}/sendings": "channel.edit",
        "POST /channels/{id}/try": "channel.edit",
        "GET /needs/words": OPEN,
        "GET /needs": ("need.take", "need.report"),
        "POST /needs": "need.report",
        "GET /needs/{id}": ("need.take", "need.report"),
        "POST /needs/{id}/steps": ("need.take", "need.report"),
        "POST /needs/{id}/unmask": "need.take",
        "GET /providers": OPEN,
        "GET /providers/suggested": OPEN,
        "GET /providers.csv": OPEN,
        "PUT /providers.csv": "provider.edit",
        "GET /visits": ("visit.view", "visit.write"),
        "POST /visits": "visit.write",
        "GET /visits/counts": "visit.view",
        "GET /visits/{id}": ("visit.view", "visit.write"),
        "POST /webhooks": "key.make",
        "GET /webhooks": "key.make",
        "GET /webhooks/{id}/sendings": "key.make",
        "DELETE /webhooks/{id}": "key.make",
        "POST /uploads": "data.deliver",
        "GET /uploads": "data.deliver",
        "PUT /uploads/{id}/files/{name}": "data.deliver",
        "GET /uploads/{id}": "data.deliver",
        "DELETE /uploads/{id}": "data.deliver",
        "POST /uploads/{id}/examine": "data.deliver",
        "POST /uploads/{id}/load": "data.deliver",
        "POST /uploads/{id}/cancel": "data.deliver",
        "GET /uploads/{id}/rejects": "data.deliver",
        "GET /uploads/{id}/refused.xlsx": "data.deliver",
        "GET /uploads/{id}/preview": "data.deliver",
        "GET /deliveries": "data.deliver",
        "GET /deliveries/sources": "data.deliver",
        "GET /deliveries/{number}": "data.deliver",
        "GET /deliveries/{number}/rejects": "data.deliver",
        "GET /deliveries/{number}/places": "data.deliver",
        "POST /deliveries/{number}/undo": "data.deliver",
        "POST /session": OPEN,
        "GET /session": OPEN,
        "DELETE /session": OPEN,
        "GET /session/oidc": OPEN,
        "GET /session/oidc/back": OPEN,
        "PUT /session/password": OWN,
        "PUT /session/exercise": OWN,
        "GET /session/all": OWN,
        "DELETE /session/all/{id}": OWN,
        "POST /session/second-factor": OWN,
        "PUT /session/second-factor": OWN,
        "DELETE /session/second-factor": OWN,
        "GET /accounts": _PEOPLE,
        "POST /accounts": "account.edit",
        "POST /accounts/import": "account.edit",
        "POST /accounts/grants": "role.edit",
        "GET /accounts/{login}": _PEOPLE,
        "PATCH /accounts/{login}": _PERSONNEL,
        "PUT /accounts/{login}/grant": "role.edit",
        "POST /accounts/{login}/password": _PERSONNEL,
        "DELETE /accounts/{login}/lock": _PERSONNEL,
        "GET /accounts/{login}/sessions": _PEOPLE,
        "DELETE /accounts/{login}/sessions": "role.edit",
        "GET /accounts/{login}/events": _PEOPLE,
        "GET /audit": "audit.read",
        "GET /roles": _PEOPLE,
        "PUT /roles/{name}": "role.edit",
        "DELETE /roles/{name}": "role.edit",
        "GET /exercises": OWN,
        "POST /exercises": "exercise.open",
        "GET /exercises/{id}": OWN,
        "POST /exercises/{id}/close": "exercise.open",
        "GET /exercises/{id}/steps": "exercise.open",
        "GET /exercises/{id}/outbox": "exercise.open",
        "GET /exercises/{id}/figures": "exercise.open",
        "POST /exercises/{id}/wall": "exercise.open",
        "GET /keys": "key.make",
        "POST /keys": "key.make",
        "DELETE /keys/{number}": ("key.make", "role.edit"),
    }
)


# What somebody in an exercise may do there: it changes nothing but the exercise, or is about themselves alone. Any
# other change would be one of the real city.
REHEARSED: Final = frozenset(
    {
        "POST /incidents",
        "POST /incidents/steps",
        "POST /incidents/{id}/steps",
        "POST /incidents/{id}/photos",
        "POST /incidents/{id}/callers/{caller}/callback",
    }
)
HARMLESS: Final = frozenset(
    {
        "POST /incidents/duplicates",
        "POST /callers/{id}/unmask",  # of callers of the exercise; recorded with it
        "POST /hotline/intake/draft",
        "POST /notices/read",  # one's own marks, of notices that are seen
        "POST /query",
        "POST /query/plan",
        "POST /print",
        "POST /session",
        "DELETE /session",
        "PUT /session/password",
        "PUT /session/exercise",
        "DELETE /session/all/{id}",
        "POST /session/second-factor",
        "PUT /session/second-factor",
        "DELETE /session/second-factor",
        "POST /exercises",
        "POST /exercises/{id}/close",
        "POST /exercises/{id}/wall",
    }
)
_READS: Final = ("GET", "HEAD", "OPTIONS")


def require_rehearsed(actor: Actor, method: str, path: str) -> None:
    """Raise Conflict when who is in an exercise asks for a change of the real city, or of an exercise that is over."""
    route = f"{method} {path}"
    if actor.scenario is None or method in _READS or route in HARMLESS:
        return
    if route not in REHEARSED:
        raise Conflict("this would change the real city: leave the exercise first").because("exercise_real")
    if actor.over:
        raise Conflict(f"exercise {actor.scenario} is over").because("exercise_over", title=actor.scenario)


def allowed(actor: Actor, method: str, path: str) -> Decision:
    """Whether the actor may enter the route at all; what it is about is asked for in the route."""
    needed = NEEDED.get(f"{method} {path}", OPEN)
    if needed == OPEN:
        return Decision(True, "this is open to all")
    if needed == OWN:
        known = actor != ANYONE
        return Decision(known, "it is about whoever is signed in" if known else "sign in first")
    if needed == "layer.edit" and any(right.startswith("layer.edit:") for right in rights(actor)):
        return Decision(True, "the actor edits some layers")
    decisions = [has(actor, right) for right in ((needed,) if isinstance(needed, str) else needed)]
    return next((one for one in decisions if one), decisions[0])
