{{ log('quiet', info=false) }}
select '{{ flags.FULL_REFRESH }}', '{{ execute }}', '{{ dbt_version.split(".")[0] }}', '{{ return("from a model") if false else "not returned" }}', '{{ flags.WHICH }}'
