{% macro shout(column) %}upper({{ column }}){% endmacro %}
{% macro twice(column) %}{{ shout(column) }} || {{ shout(column) }}{% endmacro %}
