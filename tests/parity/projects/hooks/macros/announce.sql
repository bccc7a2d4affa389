{% macro announce(what) %}select '{{ what }}' as announced{% endmacro %}
