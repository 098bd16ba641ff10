"""The committed dashboards as a reader sees them: panels, queries, variables, links; and as Grafana fills them in."""
