   {%- set x = 1 -%}
   select
   {{- ' a' }}   ,
   {%- for i in range(3) %}
       {{ i }} as c{{ i }}{% if not loop.last %},{% endif -%}
   {% endfor %}
