{% set found = [] %}
{% if execute %}
{% for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | sort(attribute='name') %}
{% do found.append(node.name ~ ':' ~ node.config.materialized) %}
{% endfor %}
{% endif %}
select '{{ found | join(",") }}' as found
