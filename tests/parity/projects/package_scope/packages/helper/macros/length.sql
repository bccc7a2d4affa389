{% macro default__length(expression) %}length_of_the_package({{ expression }}){% endmacro %}
