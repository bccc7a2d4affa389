{% macro dbt_utils_like(n) %}
{% set parts = [] %}
{%- for i in range(n) %}{% do parts.append('select ' ~ i ~ ' as n') %}{% endfor -%}
{{ parts | join('\nunion all\n') }}
{% endmacro %}
