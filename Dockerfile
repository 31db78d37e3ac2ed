FROM node:20-bookworm-slim AS map
WORKDIR /app/webmap
COPY webmap/package.json webmap/package-lock.json webmap/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY webmap/ ./
RUN npm run build

FROM python:3.11-slim-bookworm
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY gis gis
COPY layers layers
COPY etl etl
COPY api api
COPY webmap/*.py webmap/
COPY webmap/pages webmap/pages
COPY --from=map /app/webmap/dist webmap/dist
RUN useradd --system chengtu && mkdir var && chown chengtu var
USER chengtu
EXPOSE 8000
CMD ["python", "-m", "api"]
