{#- Whole minutes from one time to another; negative if the second is earlier. -#}
{% macro minutes_between(start, finish) -%}
    (extract(epoch from {{ finish }} - {{ start }}) / 60)::int
{%- endmacro %}
