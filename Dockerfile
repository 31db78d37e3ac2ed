FROM node:20-bookworm-slim AS map
WORKDIR /app/webmap
COPY webmap/package.json webmap/package-lock.json webmap/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY webmap/ ./
RUN npm run build

FROM python:3.11-slim-bookworm
# Maps are printed by MapLibre Native, which draws in software, with a Chinese typeface. Backups are made by the client
# of the version that `db` in docker-compose.yml has.
RUN apt-get update && apt-get install -y --no-install-recommends \
      libegl1 libegl-mesa0 libgl1 libgl1-mesa-dri libcurl4 fonts-noto-cjk postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY gis gis
COPY layers layers
COPY etl etl
COPY api api
COPY webmap/*.py webmap/
COPY webmap/pages webmap/pages
COPY webmap/printing webmap/printing
COPY --from=map /app/webmap/dist webmap/dist
RUN useradd --system chengtu && mkdir var && chown chengtu var
USER chengtu
EXPOSE 8000
CMD ["python", "-m", "api"]
