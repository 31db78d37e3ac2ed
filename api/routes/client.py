"""The client for notebooks, to be used on another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.responses import FileResponse

import webmap

router = APIRouter(tags=["notebooks"])

CLIENT: Final = Path(webmap.__file__).parent / "notebook.py"


@router.get("/client/chengtu.py", response_class=FileResponse)
async def client() -> FileResponse:
    """One Python file that asks this server questions: `from chengtu import City`."""
    return FileResponse(
        CLIENT, media_type="text/x-python; charset=utf-8", filename="chengtu.py", headers={"Cache-Control": "no-cache"}
    )
