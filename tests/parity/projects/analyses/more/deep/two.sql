{% set x = 3 %}
select {{ x }}
