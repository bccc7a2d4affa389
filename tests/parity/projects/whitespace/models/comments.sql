{# a comment #}
select 1 {#- tight -#} as id -- {{ 'in a comment' }}
{# two
   lines #}
/* {{ 1 + 1 }} */
