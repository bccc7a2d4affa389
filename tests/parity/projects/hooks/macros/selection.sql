{% macro count_selected() %}{% if execute %}{{ selected_resources | select('string') | list | length }}, {{ 'model.hooks.a' in selected_resources }}{% else %}0{% endif %}{% endmacro %}
