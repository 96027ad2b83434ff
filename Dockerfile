# Two stages: what installs stays behind, what runs has no package manager of its own and no compiler.
FROM python:3.12-slim AS build
WORKDIR /src
ENV UV_PROJECT_ENVIRONMENT=/opt/cybex UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
COPY tools/uv.requirements.txt tools/
RUN pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: -r tools/uv.requirements.txt
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY hub hub
COPY schemas schemas
RUN uv sync --frozen --no-default-groups --extra postgres --no-editable

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/cybex --shell /usr/sbin/nologin cybex \
 && install -d -m 0700 -o cybex -g cybex /var/lib/cybex
COPY --from=build /opt/cybex /opt/cybex
ENV PATH=/opt/cybex/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 CYBEX_DATA=/var/lib/cybex
USER 10001
VOLUME /var/lib/cybex
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["cybex"]
CMD ["serve"]
